"""Files: two-phase uploads to S3, signed links, and the parts of them that a model sees."""

from .errors import AttachmentError
from .s3 import S3AttachmentStore
from .schema import create_bucket

__all__ = ["AttachmentError", "S3AttachmentStore", "create_bucket"]
