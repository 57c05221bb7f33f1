"""A file's arrival: is it there, is it what it said, and then it is kept.

An upload lies under `uploads/` and goes after a day. When a message carries it,
the object itself is looked at and copied to `files/` exactly as it was looked
at (by its ETag). What a message carries already is not looked at again, so the
upload link swaps nothing there. Of two messages that begin at the very same time
with one file each may copy it, the later one what was uploaded in between: it was
looked at as well, and is only ever its owner's own file.
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
"""The key in an attachment's metadata that says its bytes are in our bucket, and how many."""

SNIFFED_BYTES: Final = 1024

_RIFF_KIND_AT: Final = 8


def is_ours(attachment: Attachment) -> bool:
    return OURS in (attachment.metadata or {})


def sniff(first: bytes) -> str | None:
    """The content type that a file's first bytes prove; `None` when they prove nothing."""
    if first.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if first.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if first.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if first.startswith(b"RIFF") and first[_RIFF_KIND_AT : _RIFF_KIND_AT + 4] == b"WEBP":
        return "image/webp"
    # The PDF specification lets the header stand anywhere in the first 1,024 bytes.
    if b"%PDF-" in first:
        return "application/pdf"
    return None


def claims_wrongly(mime_type: str, first: bytes) -> bool:
    """Whether a file that says it is an image or a PDF is something else."""
    provable = {"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"}
    return mime_type in provable and sniff(first) != mime_type


@dataclass(frozen=True)
class Arrived:
    """An uploaded file as it was looked at."""

    name: str
    source: str
    target: str
    etag: str


async def look(bucket: Bucket, attachment: Attachment, user: str) -> Arrived | None:
    """Look at an uploaded file: what is to be kept of it. Raises `AttachmentError`.

    `None` for what did not come through our store, and for what was kept before. Two requests;
    for a file that names its thread three, or one when it was kept before.
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
    promised = (attachment.metadata or {})[OURS]
    if head.size != promised:
        raise AttachmentError(
            f"{attachment.name} is not the file that was announced: "
            f"{head.size} bytes instead of {promised}."
        )
    first = await bucket.get(source, first=SNIFFED_BYTES, etag=head.etag)
    if first is None:
        raise _changed(attachment.name)
    if claims_wrongly(attachment.mime_type, first):
        raise AttachmentError(f"{attachment.name} is not a valid {attachment.mime_type} file.")
    return Arrived(attachment.name, source, target, head.etag)


async def keep(bucket: Bucket, arrived: Arrived) -> None:
    """Keep a file as it was looked at; raises `AttachmentError` if it changed. One request."""
    try:
        await bucket.copy(arrived.source, arrived.target, arrived.etag)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"PreconditionFailed", "NoSuchKey"}:
            raise
        raise _changed(arrived.name) from None


def _changed(name: str) -> AttachmentError:
    return AttachmentError(f"{name} changed while it was sent. Please attach it again.")


async def check(bucket: Bucket, attachment: Attachment, user: str) -> None:
    """Look at an uploaded file and keep it; raises `AttachmentError`."""
    arrived = await look(bucket, attachment, user)
    if arrived is not None:
        await keep(bucket, arrived)
