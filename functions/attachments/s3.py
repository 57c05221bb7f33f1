"""Files in S3: the browser announces one and uploads it by a signed link; sending it checks it."""

from collections.abc import Callable
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
from ..aws.keys import owner_by, part
from ..settings import MB
from . import arrival
from .errors import AttachmentError
from .schema import (
    PREVIEWED,
    file_key,
    image_key,
    image_prefix,
    named,
    type_by_name,
    upload_key,
)

MAX_NAME: Final = 255
MAX_TYPE: Final = 255
"""RFC 6838: 127 characters on each side of the slash."""


class S3AttachmentStore(AttachmentStore[Any]):
    """ChatKit's two-phase uploads in one bucket.

    `create_attachment` returns a link for one `PUT`, which signs content type and length; the bytes
    do not pass through a Lambda function. `check_uploaded` checks an uploaded file, and so does
    `DynamoDBStore(bucket=…).save_attachment` when a message is sent with it.

    `bucket` is the bucket's name, or a `Bucket`; `client` is a boto3 S3 client for a name, by
    default the process's own. `max_bytes` and `types` (exact, or with `*` such as `text/*`) limit
    the files that can be announced.

    S3 is strongly consistent and writes an object whole or not at all, so this holds for every
    method. A rejected file raises `AttachmentError`, whose message is for the user. Keys contain
    the user, so nobody can reach another user's file. `owner` says whose a context is, as for
    `DynamoDBStore`: give both the same.
    """

    def __init__(
        self,
        bucket: str | Bucket,
        *,
        client: Any = None,
        max_bytes: int = 20 * MB,
        types: tuple[str, ...] | list[str] = ("*/*",),
        owner: Callable[[Any], str] | None = None,
    ) -> None:
        self.bucket = Bucket(bucket, client) if isinstance(bucket, str) else bucket
        self.max_bytes = max_bytes
        self.types = tuple(types)
        self._owner = owner_by(owner)

    def generate_attachment_id(self, mime_type: str, context: Any) -> str:  # noqa: ARG002 - the SDK calls it so
        return new_id("attachment")

    async def create_attachment(self, input: AttachmentCreateParams, context: Any) -> Attachment:  # noqa: A002 - the SDK's name
        """Announce a file. No request. Raises `AttachmentError` when it cannot be accepted.

        Whoever uploads it has to send the headers of `upload_descriptor`, which are signed. ChatKit
        does: https://github.com/openai/chatkit-python/releases/tag/v1.5.0.
        """
        user = self._owner(context)
        mime_type = self._checked(input)
        attachment_id = self.generate_attachment_id(mime_type, context)
        key = upload_key(user, part(attachment_id))
        upload = await aws.call(
            self.bucket.sign_put, key=key, content_type=mime_type, size=input.size
        )
        common: dict[str, Any] = {
            "id": attachment_id,
            "name": input.name,
            "mime_type": mime_type,
            "upload_descriptor": AttachmentUploadDescriptor(
                url=AnyUrl(upload.url), method="PUT", headers=upload.headers
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
                f"{file.name} is too large: at most {self.max_bytes / MB:.0f} MB can be attached.",
                413,
            )
        if len(mime_type) > MAX_TYPE:
            raise AttachmentError(
                f"The type of {file.name} must have at most {MAX_TYPE} characters."
            )
        if not mime_type.isascii() or "/" not in mime_type or not mime_type.isprintable():
            raise AttachmentError(f"The type of {file.name} is not known. {self._taken()}", 415)
        if not self._allows(mime_type):
            raise self._not_taken(file.name)
        return mime_type

    def _not_taken(self, name: str) -> AttachmentError:
        return AttachmentError(f"{name} cannot be attached. {self._taken()}", 415)

    def _taken(self) -> str:
        return f"Possible types: {', '.join(named(each) for each in self.types)}."

    def _type(self, file: AttachmentCreateParams) -> str:
        """The type that the browser gives, or the one that the file's name tells, when the browser
        gives none that is taken. Browsers ask their system: `.ts` is a video on one, and has no
        type on another.
        """
        mime_type = file.mime_type.partition(";")[0].strip().lower()
        known = "/" in mime_type and mime_type != "application/octet-stream"
        if known and self._allows(mime_type):
            return mime_type
        extension = PurePosixPath(file.name).suffix.lower()
        return type_by_name(extension) or mime_type

    def _allows(self, mime_type: str) -> bool:
        return any(fnmatchcase(mime_type, allowed) for allowed in self.types)

    async def check_uploaded(self, attachment: Attachment, context: Any) -> None:
        """Check an uploaded file and keep it; S3 removes other uploads after a day.

        Raises `AttachmentError` when it was not uploaded, does not have the announced size, or
        claims to be an image, a PDF or an Office file and is none, by its first bytes, or is of a
        type that is not taken. If it is another type than was announced, it is corrected in
        place. Raises `ValueError` when `attachment` is not an attachment.

        Three requests to S3. For a file that names its thread: four, or one when it was kept
        before, because it is not checked again. Two parallel calls may both keep the file; the
        later one may keep a newer upload of the same user.
        """
        arrived = await self.look(attachment, context)
        if arrived is not None:
            arrival.correct(attachment, arrived.attachment)
            await self.keep(arrived)

    async def look(self, attachment: Attachment, context: Any) -> arrival.Arrived | None:
        """The first half of `check_uploaded`, which changes nothing; returns what `keep` needs,
        and the attachment as what its bytes show.

        `None` when there is nothing to keep. Raises the same errors. Two requests to S3. For a file
        that names its thread: three, or one when it was kept before.
        """
        _must_be(AttachmentBase, attachment)
        arrived = await arrival.look(self.bucket, attachment, self._owner(context))
        checked = arrived.attachment if arrived else attachment
        if checked is not attachment and not self._allows(checked.mime_type):
            raise self._not_taken(attachment.name)
        return arrived

    async def keep(self, arrived: arrival.Arrived) -> None:
        """The second half of `check_uploaded`, for when the message is certain to be sent.

        Raises `AttachmentError` when the file changed since `look`. One request, which copies the
        file within S3.
        """
        _must_be(arrival.Arrived, arrived)
        await arrival.keep(self.bucket, arrived)

    async def delete_attachment(self, attachment_id: str, context: Any) -> None:
        """Remove a file's bytes, sent or not. An unknown or another user's id changes nothing.

        One request.
        """
        user = self._owner(context)
        await self.bucket.delete(
            upload_key(user, part(attachment_id)), file_key(user, part(attachment_id))
        )

    async def read(self, attachment: Attachment, context: Any) -> bytes | None:
        """The file's bytes; `None` when there are none. One request."""
        return await self.bucket.get(self.key(attachment, context))

    async def link(self, attachment: Attachment, context: Any) -> str:
        """A signed link with which a browser saves the file under its name. No request."""
        key = self.key(attachment, context)
        return await aws.call(self.bucket.sign_get, key=key, save_as=attachment.name)

    def key(self, attachment: Attachment, context: Any) -> str:
        """The file's key: under `files/` once it was sent, else under `uploads/`.

        Raises `ValueError` when `attachment` is not an attachment.
        """
        _must_be(AttachmentBase, attachment)
        place = file_key if attachment.thread_id is not None else upload_key
        return place(self._owner(context), part(attachment.id))

    async def put_image(
        self,
        thread_id: str,
        image_id: str,
        data: bytes,
        context: Any,
        *,
        draft: int | None = None,
    ) -> str:
        """Store a generated image and return a signed link to it. One request.

        The type is taken from the bytes. Raises `ValueError` when they are no PNG, JPEG, GIF or
        WebP. The same id replaces the stored image, as drafts do (`draft` counts them from 0), so
        `image_id` must be unique in its thread; the ids of a model may not be.
        """
        _must_be((bytes, bytearray), data)
        mime_type = arrival.sniff(data[: arrival.SNIFFED_BYTES])
        if mime_type not in PREVIEWED:
            raise ValueError("a generated image must be PNG, JPEG, GIF or WebP")
        key = image_key(self._owner(context), part(thread_id), part(image_id))
        await self.bucket.put(key, data, mime_type)
        return await aws.call(self.bucket.sign_get, key=key, draft=draft)

    async def read_image(self, item: GeneratedImageItem, context: Any) -> bytes | None:
        """A generated image's bytes, found by the signed link in its item. One request.

        `None` when there are none, or the image is not in this user's thread.
        """
        _must_be(GeneratedImageItem, item)
        key = self.bucket.key_of(item.image.url) if item.image else None
        thread = part(item.thread_id)
        if key is None or not key.startswith(image_prefix(self._owner(context), thread)):
            return None
        return await self.bucket.get(key)


def _must_be(kind: type | tuple[type, ...], given: Any) -> None:
    """Raise `ValueError`, as for all invalid input, when `given` has another type."""
    if not isinstance(given, kind):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        names = " or ".join(each.__name__ for each in kinds)
        raise ValueError(f"{names} is needed, not {type(given).__name__}")  # noqa: TRY004
