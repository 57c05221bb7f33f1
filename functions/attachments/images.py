"""Images in a form that a provider accepts: unchanged, smaller, or in another format.

Gemini accepts 7 MB for each inline image, and no GIF. OpenAI scales images down to 2,048 pixels, so
doing that here loses nothing. An image that a provider rejects would be rejected again with every
later message of its thread.
https://docs.cloud.google.com/vertex-ai/generative-ai/docs/image/image-captioning

Pillow is imported for the first image, so that a cold start does not wait for it.
"""

import io
import logging
from typing import Final

logger = logging.getLogger(__name__)

MAX_BYTES: Final = 5_000_000
"""Bytes of an image that is sent unchanged; in base64 these are 6.7 MB."""
SENT_AS_IS: Final = frozenset({"image/png", "image/jpeg", "image/webp"})
MAX_SIDE: Final = 2048
MAX_PIXELS: Final = 36_000_000
"""Pixels of an image that must be decoded whole, which takes some 20 bytes for each (WebP)."""
JPEG_QUALITY: Final = 85
FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP")


def fit(data: bytes, mime_type: str) -> tuple[bytes, str] | None:
    """The bytes and the type of an image within the limits; `None` when it is damaged or too large.

    Every image is decoded, because only that shows whether it is complete. Of an animation, the
    first frame is returned. Takes up to a second and the memory of `MAX_PIXELS`: call it on a
    thread, one at a time.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415 - slow to import, and rarely needed

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            pixels = image.width * image.height
            as_is = len(data) <= MAX_BYTES and mime_type in SENT_AS_IS
            # Pillow can decode a JPEG at a fraction of its size, and line by line unless it is
            # progressive.
            image.draft("RGB", (1, 1) if as_is else (MAX_SIDE, MAX_SIDE))
            if image.format == "JPEG" and "progressive" not in image.info:
                pixels = image.width * image.height
            if pixels > MAX_PIXELS:
                return None
            if as_is:
                image.load()
                return data, mime_type
            image.thumbnail((MAX_SIDE, MAX_SIDE))
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith("I"):  # 16 bits: Pillow would clip the values at 255
                upright = upright.convert("I").point(lambda value: value * (1 / 256)).convert("L")
            rgba = upright.convert("RGBA")
            flat = Image.new("RGB", rgba.size, "white")
            flat.paste(rgba, mask=rgba)
            out = io.BytesIO()
            flat.save(out, "JPEG", quality=JPEG_QUALITY)
    # Pillow's parsers raise many kinds of exceptions for damaged files.
    except Exception as error:  # noqa: BLE001
        logger.warning("an image could not be shown", extra={"reason": type(error).__name__})
        return None
    return out.getvalue(), "image/jpeg"
