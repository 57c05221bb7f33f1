"""Signed links: replaced before an item is stored, and signed again when it is loaded.

A signed link expires after an hour, so the table holds `s3://<bucket>/<key>` instead. A link is
signed only for a key of the user who loads it. A generated image that comes as a data URL, which
may be megabytes of text, is moved to the bucket.
"""

import base64
from hashlib import sha256
from typing import Any, Final

from chatkit.types import (
    Attachment,
    GeneratedImage,
    GeneratedImageItem,
    ImageAttachment,
    ThreadItem,
    UserMessageItem,
)
from pydantic import AnyUrl

from .. import aws
from ..attachments import arrival
from ..attachments.schema import PREVIEWED, file_key, image_key, image_prefix, upload_key
from ..aws.bucket import Bucket
from ..aws.keys import digest, part

SCHEME: Final = "s3"


class Links:
    def __init__(self, bucket: Bucket | None) -> None:
        self.bucket = bucket

    def unsign(self, url: str) -> str:
        """A signed link to this bucket as `s3://…`; any other link unchanged."""
        key = self.bucket.key_of(url) if self.bucket else None
        return url if self.bucket is None or key is None else f"{SCHEME}://{self.bucket.name}/{key}"

    async def sign(self, url: str, user: str) -> str:
        """A signed link for an `s3://…` link of this bucket and user; any other link unchanged."""
        bucket = self.bucket
        start = f"{SCHEME}://{bucket.name}/" if bucket else ""
        if bucket is None or not url.startswith(start):
            return url
        key = url.removeprefix(start)
        if key.split("/")[1:2] != [digest(user)]:
            return url
        return await aws.call(bucket.sign_get, key=key)

    async def take_image(
        self, thread_id: str, item: ThreadItem, user: str
    ) -> tuple[ThreadItem, tuple[str, bytes, str] | None]:
        """Replace the data URL of a generated image, which is the SDK's default, by a link.

        Returns the new item, and the arguments of the `Bucket.put` that must be done before the
        item is written. Any other item is returned unchanged, with `None`. The key contains a
        hash of the image, so an item that is then not written has replaced no stored image.

        Raises `ValueError` without a bucket, and for data that is not PNG, JPEG, GIF or WebP.
        """
        if not isinstance(item, GeneratedImageItem) or not item.image:
            return item, None
        head, _, encoded = item.image.url.partition(";base64,")
        if not head.lower().startswith("data:"):
            return item, None
        if self.bucket is None:
            raise ValueError("a generated image needs a bucket")
        data, checksum = await aws.call(_decode, encoded=encoded)
        kind = arrival.sniff(data[: arrival.SNIFFED_BYTES])
        if kind not in PREVIEWED:
            raise ValueError("a generated image must be PNG, JPEG, GIF or WebP")
        key = image_key(user, part(thread_id), f"{part(item.id)}/{checksum}")
        image = GeneratedImage(id=item.image.id, url=f"{SCHEME}://{self.bucket.name}/{key}")
        return item.model_copy(update={"image": image}), (key, data, kind)

    def image_of(self, thread_id: str, stored: ThreadItem, user: str) -> str | None:
        """The key of a stored item's generated image; `None` when it has none in its thread."""
        if self.bucket is None or not isinstance(stored, GeneratedImageItem) or not stored.image:
            return None
        root = f"{SCHEME}://{self.bucket.name}/"
        key = stored.image.url.removeprefix(root)
        own = image_prefix(user, part(thread_id))
        return key if stored.image.url.startswith(root + own) else None

    def unsign_attachment(self, attachment: Attachment, user: str) -> Attachment:
        """An attachment as it is stored: no signed link, and no upload link once it is sent."""
        changes: dict[str, Any] = {}
        if attachment.thread_id is not None:
            changes["upload_descriptor"] = None
        if isinstance(attachment, ImageAttachment):
            changes["preview_url"] = AnyUrl(self.unsign_preview(attachment, user))
        return attachment.model_copy(update=changes)

    def unsign_preview(self, attachment: ImageAttachment, user: str) -> str:
        """The image's `s3://…` link: under `files/` once it is sent."""
        stored = self.unsign(str(attachment.preview_url))
        if self.bucket is None or attachment.thread_id is None:
            return stored
        root = f"{SCHEME}://{self.bucket.name}/"
        name = part(attachment.id)
        uploaded, kept = root + upload_key(user, name), root + file_key(user, name)
        return kept if stored == uploaded else stored

    async def sign_attachment(self, attachment: Attachment, user: str) -> Attachment:
        if not isinstance(attachment, ImageAttachment):
            return attachment
        stored = str(attachment.preview_url)
        signed = await self.sign(stored, user)
        if signed == stored:
            return attachment
        return attachment.model_copy(update={"preview_url": AnyUrl(signed)})

    def unsign_item(self, item: ThreadItem, user: str) -> ThreadItem:
        if isinstance(item, UserMessageItem) and item.attachments:
            stored = [self.unsign_attachment(each, user) for each in item.attachments]
            for each in stored:  # it is sent now, even if it names no thread
                each.upload_descriptor = None
            return item.model_copy(update={"attachments": stored})
        if isinstance(item, GeneratedImageItem) and item.image:
            image = GeneratedImage(id=item.image.id, url=self.unsign(item.image.url))
            return item.model_copy(update={"image": image})
        return item

    async def sign_item(self, item: ThreadItem, user: str) -> ThreadItem:
        if isinstance(item, UserMessageItem) and item.attachments:
            item.attachments = [await self.sign_attachment(each, user) for each in item.attachments]
        elif isinstance(item, GeneratedImageItem) and item.image:
            item.image.url = await self.sign(item.image.url, user)
        return item


def _decode(encoded: str) -> tuple[bytes, str]:
    """The bytes and their checksum; no bytes when `encoded` is not base64."""
    try:
        data = base64.b64decode(encoded, validate=True)
    except ValueError:
        data = b""
    return data, sha256(data).hexdigest()
