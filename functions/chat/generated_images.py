"""Images that the model draws: kept in S3, and never as data URLs in the table."""

import base64
from uuid import uuid4

from chatkit.agents import ResponseStreamConverter

from ..attachments import S3AttachmentStore
from ..context import RequestContext

PARTIALS = 3
"""Drafts of an image that a provider sends at most, for the progress that is shown."""


class GeneratedImages(ResponseStreamConverter):
    """Puts each image, drafts included, into the bucket and hands out signed links."""

    def __init__(self, files: S3AttachmentStore, thread_id: str, context: RequestContext) -> None:
        super().__init__(partial_images=PARTIALS)
        self._files = files
        self._thread_id = thread_id
        self._context = context
        self._drawing: dict[str, str] = {}

    async def base64_image_to_url(
        self,
        image_id: str,
        base64_image: str,
        partial_image_index: int | None = None,
    ) -> str:
        # A model's id may come again, with the next image; each draft replaces the last.
        ours = self._drawing.setdefault(image_id, uuid4().hex)
        if partial_image_index is None:
            del self._drawing[image_id]
        return await self._files.put_image(
            self._thread_id,
            ours,
            base64.b64decode(base64_image),
            self._context,
            draft=partial_image_index,
        )
