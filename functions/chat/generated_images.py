"""Stores images that a model or a tool makes in S3, so that no data URL gets into the table."""

import base64
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from chatkit.agents import ResponseStreamConverter
from chatkit.types import GeneratedImage, GeneratedImageItem

from ..attachments import S3AttachmentStore
from ..context import RequestContext

if TYPE_CHECKING:
    from .turn import ServedTurn

MAX_PARTIAL_IMAGES = 3
"""The most drafts of one image that a provider sends. ChatKit computes the progress from it."""


class GeneratedImages(ResponseStreamConverter):
    """Stores each image and each draft in the bucket and returns a signed link to it."""

    def __init__(self, files: S3AttachmentStore, thread_id: str, context: RequestContext) -> None:
        super().__init__(partial_images=MAX_PARTIAL_IMAGES)
        self._files = files
        self._thread_id = thread_id
        self._context = context
        self._names: dict[str, str] = {}

    async def base64_image_to_url(
        self,
        image_id: str,
        base64_image: str,
        partial_image_index: int | None = None,
    ) -> str:
        # Drafts of one image share a file. A model may use the same id for its next image.
        name = self._names.setdefault(image_id, uuid4().hex)
        if partial_image_index is None:
            del self._names[image_id]
        return await self._files.put_image(
            self._thread_id,
            name,
            base64.b64decode(base64_image),
            self._context,
            draft=partial_image_index,
        )


async def stored_image(image: bytes, turn: "ServedTurn") -> GeneratedImageItem:
    """Store a tool's image, and return the item that shows it. Raises `ValueError` when `image` is
    none.
    """
    name = uuid4().hex
    url = await turn.files.put_image(turn.thread.id, name, image, turn.request_context)
    return GeneratedImageItem(
        id=turn.generate_id("message"),
        thread_id=turn.thread.id,
        created_at=datetime.now(),  # noqa: DTZ005 - naive, as the SDK's own items are
        image=GeneratedImage(id=name, url=url),
    )
