"""The arrival of a file: check that it was uploaded and is what it claims to be, then keep it.

An upload is under `uploads/`, where S3 removes it after a day. When it is sent with a message, the
object is checked and copied to `files/`. The copy has the condition that the object still has the
ETag of the check. A file under `files/` is not checked again, so a later upload with the same link
cannot replace it. If two messages with the same file are sent at the same time, both may copy it,
and the second copy may be a newer upload: that was checked too, and belongs to the same user.
"""

from dataclasses import dataclass
from typing import Final

from botocore.exceptions import ClientError
from chatkit.types import Attachment

from ..aws.bucket import Bucket
from ..aws.keys import part
from .errors import AttachmentError
from .schema import file_key, upload_key

OURS: Final = "s3_size"
"""The key in an attachment's metadata that marks a file in our bucket; its value is the size."""

SNIFFED_BYTES: Final = 1024

_RIFF_KIND_AT: Final = 8


def is_ours(attachment: Attachment) -> bool:
    return OURS in (attachment.metadata or {})


def sniff(first: bytes) -> str | None:
    """The content type that a file's first bytes show; `None` when they show none."""
    if first.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if first.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if first.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if first.startswith(b"RIFF") and first[_RIFF_KIND_AT : _RIFF_KIND_AT + 4] == b"WEBP":
        return "image/webp"
    # By the PDF specification, the header may be anywhere in the first 1,024 bytes.
    if b"%PDF-" in first:
        return "application/pdf"
    return None


def claims_wrongly(mime_type: str, first: bytes) -> bool:
    """Whether a file of type `mime_type`, an image or a PDF, is something else by its bytes."""
    recognized = {"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"}
    return mime_type in recognized and sniff(first) != mime_type


@dataclass(frozen=True)
class Arrived:
    """An uploaded file that was checked: `etag` is that of the checked object."""

    name: str
    source: str
    target: str
    etag: str


async def look(bucket: Bucket, attachment: Attachment, user: str) -> Arrived | None:
    """Check an uploaded file; returns what `keep` needs. Raises `AttachmentError`.

    `None` for a file that is not in our bucket, and for one that was kept before. Two requests.
    For a file that names its thread: three, or one when it was kept before.
    """
    if not is_ours(attachment):
        return None
    source = upload_key(user, part(attachment.id))
    target = file_key(user, part(attachment.id))
    if attachment.thread_id is not None and await bucket.head(target) is not None:
        return None
    head = await bucket.head(source)
    if head is None:
        if await bucket.head(target) is not None:
            return None
        raise AttachmentError(f"{attachment.name} was not uploaded. Please attach it again.")
    announced = (attachment.metadata or {})[OURS]
    if head.size != announced:
        raise AttachmentError(
            f"{attachment.name} is not the file that was announced: "
            f"{head.size} bytes instead of {announced}."
        )
    first = await bucket.get(source, first=SNIFFED_BYTES, etag=head.etag)
    if first is None:
        raise _changed(attachment.name)
    if claims_wrongly(attachment.mime_type, first):
        raise AttachmentError(f"{attachment.name} is not a valid {attachment.mime_type} file.")
    return Arrived(attachment.name, source, target, head.etag)


async def keep(bucket: Bucket, arrived: Arrived) -> None:
    """Copy a checked file to `files/`. Raises `AttachmentError` if it changed. One request."""
    try:
        await bucket.copy(arrived.source, arrived.target, arrived.etag)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"PreconditionFailed", "NoSuchKey"}:
            raise
        raise _changed(arrived.name) from None


def _changed(name: str) -> AttachmentError:
    return AttachmentError(f"{name} changed while it was sent. Please attach it again.")


async def check(bucket: Bucket, attachment: Attachment, user: str) -> None:
    """Check an uploaded file and keep it. Raises `AttachmentError`."""
    arrived = await look(bucket, attachment, user)
    if arrived is not None:
        await keep(bucket, arrived)
