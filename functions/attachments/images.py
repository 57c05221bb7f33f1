"""Images that a provider takes: as they are, or smaller.

Gemini takes 7 MB an image inline; OpenAI scales what is larger than 2,048 pixels
down by itself, so nothing is lost by doing it here.
https://docs.cloud.google.com/vertex-ai/generative-ai/docs/image/image-captioning

Pillow is imported when the first such image comes: it costs a cold start nothing.
"""

import io
import logging
from typing import Final

logger = logging.getLogger(__name__)

LARGEST: Final = 5_000_000
"""Bytes of an image that is sent as it is; base64 makes 6.7 MB of them."""
LONGEST_SIDE: Final = 2048
JPEG_QUALITY: Final = 85


def fit(data: bytes, mime_type: str) -> tuple[bytes, str] | None:
    """Bytes and type of an image within the limit; `None` when that cannot be had.

    Takes up to a second for a large photo: call it on a thread.
    """
    if len(data) <= LARGEST:
        return data, mime_type
    from PIL import Image, ImageOps  # noqa: PLC0415 - slow to import, and rarely needed

    try:
        with Image.open(io.BytesIO(data)) as image:
            # A JPEG can be decoded at a fraction of its size, which bounds the memory.
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            flat = Image.new("RGB", upright.size, "white")
            rgba = upright.convert("RGBA")
            flat.paste(rgba, mask=rgba)
            out = io.BytesIO()
            flat.save(out, "JPEG", quality=JPEG_QUALITY)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        logger.warning("an image could not be scaled down", extra={"reason": type(error).__name__})
        return None
    return out.getvalue(), "image/jpeg"
