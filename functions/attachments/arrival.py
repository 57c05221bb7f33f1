"""The arrival of a file: check that it was uploaded, find out what it is, then keep it.

The bytes decide what a file is. Phones and editors give wrong names, and a browser takes a file's
type from its name: a JPEG named `photo.png` is announced as a PNG.

An upload is under `uploads/`, where S3 removes it after a day. When it is sent with a message, the
object is checked and copied to `files/`. The copy has the condition that the object still has the
ETag of the check: an upload link works once, but again when the upload was removed meanwhile. A
file under `files/` is not checked again, so nothing that comes later can replace it. If two
messages with the same file are sent at the same time, both may copy it, and the second copy may be
a newer upload: that was checked too, and belongs to the same user.
"""

from dataclasses import dataclass
from typing import Final

from botocore.exceptions import ClientError
from chatkit.types import Attachment, FileAttachment, ImageAttachment
from pydantic import AnyUrl

from .. import aws
from ..aws.bucket import Bucket
from ..aws.keys import part
from ..files.office import ZIP
from .errors import AttachmentError
from .schema import EXCEL, PREVIEWED, WORD, file_key, named, upload_key

OURS: Final = "s3_size"
"""The key in an attachment's metadata that marks a file in our bucket; its value is the size."""

SNIFFED_BYTES: Final = 1024

RECOGNIZED: Final = PREVIEWED | {"application/pdf"}
"""The types that a file's first bytes show."""

OFFICE: Final = frozenset({WORD, EXCEL})

_RIFF_KIND_AT: Final = 8


def is_ours(attachment: Attachment) -> bool:
    return OURS in (attachment.metadata or {})


def announced_size(attachment: Attachment) -> int | None:
    """The bytes that were announced, which a checked file has; None when it is not ours."""
    size: int | None = (attachment.metadata or {}).get(OURS)
    return size


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


def real_type(mime_type: str, first: bytes) -> str | None:
    """The type of a file that was announced as `mime_type`, by its first bytes.

    `None` for a file that claims to be an image or a PDF, and is neither, and for one that claims
    to be of Word or Excel, and cannot be.
    """
    shown = sniff(first)
    if mime_type in RECOGNIZED:
        return shown
    # A text may begin like an image or a PDF, but has no zero bytes.
    if shown is not None and b"\x00" in first:
        return shown
    return None if mime_type in OFFICE and not first.startswith(ZIP) else mime_type


@dataclass(frozen=True)
class Arrived:
    """An uploaded file that was checked. `etag` is that of the checked object."""

    attachment: Attachment
    """With the type that the bytes show."""
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
        raise AttachmentError(f"{attachment.name} was not uploaded. Please attach it again.", 409)
    announced = announced_size(attachment)
    if head.size != announced:
        raise AttachmentError(
            f"{attachment.name} is not the file that was announced: "
            f"{head.size} bytes instead of {announced}.",
            409,
        )
    first = await bucket.get(source, first=SNIFFED_BYTES, etag=head.etag)
    if first is None:
        raise _changed(attachment.name)
    mime_type = real_type(attachment.mime_type, first)
    if mime_type is None:
        raise _wrong(attachment)
    corrected = await _corrected(bucket, attachment, mime_type, source)
    return Arrived(corrected, source, target, head.etag)


async def _corrected(
    bucket: Bucket, attachment: Attachment, mime_type: str, source: str
) -> Attachment:
    """The attachment as what it is: an image has a preview, and no other file has one."""
    if mime_type == attachment.mime_type:
        return attachment
    fields = dict(attachment) | {"mime_type": mime_type}
    del fields["type"]
    preview = fields.pop("preview_url", None)
    if mime_type not in PREVIEWED:
        return FileAttachment(**fields)
    preview = preview or AnyUrl(await aws.call(bucket.sign_get, key=source))
    return ImageAttachment(**fields, preview_url=preview)


async def keep(bucket: Bucket, arrived: Arrived) -> None:
    """Copy a checked file to `files/`, with its real type.

    Raises `AttachmentError` if it changed. One request.
    """
    kept = arrived.attachment
    try:
        await bucket.copy(arrived.source, arrived.target, arrived.etag, kept.mime_type)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"PreconditionFailed", "NoSuchKey"}:
            raise
        raise _changed(kept.name) from None


def _changed(name: str) -> AttachmentError:
    return AttachmentError(f"{name} changed while it was sent. Please attach it again.", 409)


def correct(attachment: Attachment, checked: Attachment) -> None:
    """Give `attachment` the type of the checked one, in place, because the SDK keeps its instance.

    Its class cannot change: so an image in a `FileAttachment` gets no preview, and an
    `ImageAttachment` that holds no image raises `AttachmentError`.
    """
    if isinstance(attachment, ImageAttachment) and not isinstance(checked, ImageAttachment):
        raise _wrong(attachment)
    attachment.mime_type = checked.mime_type


def _wrong(attachment: Attachment) -> AttachmentError:
    kind = named(attachment.mime_type)
    hint = (
        " It may have a password, or be older than 2007." if attachment.mime_type in OFFICE else ""
    )
    return AttachmentError(f"{attachment.name} is not a valid {kind} file.{hint}", 415)


async def check(bucket: Bucket, attachment: Attachment, user: str) -> None:
    """Check an uploaded file, correct its type in place and keep it. Raises `AttachmentError`."""
    arrived = await look(bucket, attachment, user)
    if arrived is not None:
        correct(attachment, arrived.attachment)
        await keep(bucket, arrived)
