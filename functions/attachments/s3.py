"""Files in S3: announced, uploaded by the browser with a signed link, checked when sent."""

from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any, Final

from chatkit.store import AttachmentStore
from chatkit.types import (
    Attachment,
    AttachmentBase,
    AttachmentCreateParams,
    AttachmentUploadDescriptor,
    FileAttachment,
    GeneratedImageItem,
    ImageAttachment,
)
from pydantic import AnyUrl

from .. import aws
from ..aws.bucket import Bucket
from ..aws.ids import new_id
from ..aws.keys import owner, part
from ..settings import MB
from . import arrival
from .errors import AttachmentError
from .schema import PREVIEWED, TEXT_EXTENSIONS, file_key, image_key, image_prefix, upload_key

UPLOAD_SECONDS: Final = 900
"""How long an upload may take to begin."""
MAX_NAME: Final = 255
MAX_TYPE: Final = 255
"""RFC 6838: 127 characters on each side of the slash."""


class S3AttachmentStore(AttachmentStore[Any]):
    """ChatKit's two-phase uploads, with one bucket behind them.

    `create_attachment` returns a link for a `PUT` that signs content type and
    length; the bytes never pass through a function. What was uploaded is checked
    by `check_uploaded`, and by `DynamoDBStore(bucket=…).save_attachment` when a
    message carries it.

    `max_bytes` and `types` (exact or with `*`, such as `text/*`) limit what may be
    announced. S3 is strongly consistent, and so is every method here; each object is
    written whole or not at all. What is refused is an `AttachmentError` with words for
    the user. A context needs `user_id` and nothing else: keys lie under the
    user, so nobody reaches another's file.
    """

    def __init__(
        self,
        bucket: str | Bucket,
        *,
        client: Any = None,
        max_bytes: int = 20 * MB,
        types: tuple[str, ...] | list[str] = ("*/*",),
    ) -> None:
        self.bucket = Bucket(bucket, client) if isinstance(bucket, str) else bucket
        self.max_bytes = max_bytes
        self.types = tuple(types)

    def generate_attachment_id(self, mime_type: str, context: Any) -> str:  # noqa: ARG002 - the SDK calls it so
        return new_id("attachment")

    async def create_attachment(self, input: AttachmentCreateParams, context: Any) -> Attachment:  # noqa: A002 - the SDK's name
        """Announce a file. No request is made; raises `AttachmentError` for one that may not be."""
        user = owner(context)
        mime_type = self._checked(input)
        attachment_id = self.generate_attachment_id(mime_type, context)
        key = upload_key(user, part(attachment_id))
        url = await aws.call(
            self.bucket.sign_put,
            key=key,
            content_type=mime_type,
            size=input.size,
            seconds=UPLOAD_SECONDS,
        )
        common: dict[str, Any] = {
            "id": attachment_id,
            "name": input.name,
            "mime_type": mime_type,
            "upload_descriptor": AttachmentUploadDescriptor(
                url=AnyUrl(url), method="PUT", headers={"Content-Type": mime_type}
            ),
            "metadata": {arrival.OURS: input.size},
        }
        if mime_type not in PREVIEWED:
            return FileAttachment(**common)
        preview = await aws.call(self.bucket.sign_get, key=key)
        return ImageAttachment(**common, preview_url=AnyUrl(preview))

    def _checked(self, announced: AttachmentCreateParams) -> str:
        try:
            file = AttachmentCreateParams.model_validate(vars(announced), strict=True)
            file.name.encode()
        except (TypeError, ValueError):
            raise AttachmentError("A file needs a name, a size and a type.") from None
        mime_type = self._type(file)
        if not file.name or len(file.name) > MAX_NAME:
            raise AttachmentError(f"A file's name must have 1 to {MAX_NAME} characters.")
        if file.size < 1:
            raise AttachmentError(f"{file.name} is empty.")
        if file.size > self.max_bytes:
            raise AttachmentError(
                f"{file.name} is too large: at most {self.max_bytes / MB:.0f} MB can be attached."
            )
        if len(mime_type) > MAX_TYPE:
            raise AttachmentError(
                f"The type of {file.name} must have at most {MAX_TYPE} characters."
            )
        if not mime_type.isascii() or "/" not in mime_type or not mime_type.isprintable():
            raise AttachmentError(f"The type of {file.name} is not known.")
        if not self._allows(mime_type):
            raise AttachmentError(f"{file.name}: files of type {mime_type} cannot be attached.")
        return mime_type

    def _type(self, file: AttachmentCreateParams) -> str:
        """What a browser calls it; text that a browser calls nothing, or by another name, is text.

        A browser takes types from its system: `.ts` is a video in one, nothing in another.
        """
        mime_type = file.mime_type.partition(";")[0].strip().lower()
        known = "/" in mime_type and mime_type != "application/octet-stream"
        if known and self._allows(mime_type):
            return mime_type
        extension = PurePosixPath(file.name).suffix.lower()
        return "text/plain" if extension in TEXT_EXTENSIONS else mime_type

    def _allows(self, mime_type: str) -> bool:
        return any(fnmatchcase(mime_type, allowed) for allowed in self.types)

    async def check_uploaded(self, attachment: Attachment, context: Any) -> None:
        """Check an uploaded file and keep it beyond the day that unsent uploads live.

        Raises `AttachmentError` when it was not uploaded, is not of the announced
        size, or its first bytes say that it is no such image or PDF; `ValueError` for what is
        no attachment. Three requests to S3, four for a file that names its thread. What was
        kept for a thread is not looked at again: that is one request. Two calls at the same
        time may each keep the file, the later one what its owner uploaded in between.
        """
        _must_be(AttachmentBase, attachment)
        await arrival.check(self.bucket, attachment, owner(context))

    async def look(self, attachment: Attachment, context: Any) -> arrival.Arrived | None:
        """The first half of `check_uploaded`, which changes nothing: what is to be kept, if any.

        Raises what that does. Two requests to S3; for a file that names its thread three, or
        one when it was kept before.
        """
        _must_be(AttachmentBase, attachment)
        return await arrival.look(self.bucket, attachment, owner(context))

    async def keep(self, arrived: arrival.Arrived) -> None:
        """The second half: once it is certain that a message will carry the file.

        Raises `AttachmentError` when it changed since. One request, which copies it within S3.
        """
        _must_be(arrival.Arrived, arrived)
        await arrival.keep(self.bucket, arrived)

    async def delete_attachment(self, attachment_id: str, context: Any) -> None:
        """Remove a file's bytes, sent or not. An unknown or foreign id changes nothing.

        One request.
        """
        user = owner(context)
        await self.bucket.delete(
            upload_key(user, part(attachment_id)), file_key(user, part(attachment_id))
        )

    async def read(self, attachment: Attachment, context: Any) -> bytes | None:
        """The file's bytes; `None` when they are not there. One request."""
        return await self.bucket.get(self.key(attachment, context))

    def key(self, attachment: Attachment, context: Any) -> str:
        """Where the file lies: kept once a message carries it. `ValueError` for no attachment."""
        _must_be(AttachmentBase, attachment)
        place = file_key if attachment.thread_id is not None else upload_key
        return place(owner(context), part(attachment.id))

    async def put_image(
        self,
        thread_id: str,
        image_id: str,
        data: bytes,
        context: Any,
        *,
        draft: int | None = None,
    ) -> str:
        """Keep a generated image and return a signed link to it. One request.

        The type is taken from the bytes; `ValueError` when they are no image. The
        same id again (a partial image, its `draft` counted from 0, then the next) replaces
        the last one: an id is one image's, and a model's own ids need not be.
        """
        _must_be((bytes, bytearray), data)
        mime_type = arrival.sniff(data[: arrival.SNIFFED_BYTES])
        if mime_type not in PREVIEWED:
            raise ValueError("a generated image must be PNG, JPEG, GIF or WebP")
        key = image_key(owner(context), part(thread_id), part(image_id))
        await self.bucket.put(key, data, mime_type)
        return await aws.call(self.bucket.sign_get, key=key, draft=draft)

    async def read_image(self, item: GeneratedImageItem, context: Any) -> bytes | None:
        """A generated image's bytes, by the link of an item that was loaded or just drawn.

        `None` when they are not there, or not this user's. One request.
        """
        _must_be(GeneratedImageItem, item)
        key = self.bucket.key_of(item.image.url) if item.image else None
        thread = part(item.thread_id)
        if key is None or not key.startswith(image_prefix(owner(context), thread)):
            return None
        return await self.bucket.get(key)


def _must_be(kind: type | tuple[type, ...], given: Any) -> None:
    """`ValueError`, as for all bad input, where somebody gives something else."""
    if not isinstance(given, kind):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        names = " or ".join(each.__name__ for each in kinds)
        raise ValueError(f"{names} is needed, not {type(given).__name__}")  # noqa: TRY004
