"""Files: two-phase uploads to S3, signed links, and what the model gets to see of them."""

from functions.attachments.errors import AttachmentError
from functions.attachments.s3 import S3AttachmentStore
from functions.attachments.schema import create_bucket

__all__ = ["AttachmentError", "S3AttachmentStore", "create_bucket"]
