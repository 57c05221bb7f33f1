"""Images that a provider takes: as they are, or smaller, or in another format.

Gemini takes 7 MB an image inline, and no GIF; OpenAI scales what is larger than
2,048 pixels down by itself, so nothing is lost by doing it here. One image that a
provider refuses would be refused with every later message of its thread too.
https://docs.cloud.google.com/vertex-ai/generative-ai/docs/image/image-captioning

Pillow is imported when the first image comes: it costs a cold start nothing.
"""

import io
import logging
from typing import Final

logger = logging.getLogger(__name__)

MAX_BYTES: Final = 5_000_000
"""Bytes of an image that is sent as it is; base64 makes 6.7 MB of them."""
SENT_AS_IS: Final = frozenset({"image/png", "image/jpeg", "image/webp"})
MAX_SIDE: Final = 2048
MAX_PIXELS: Final = 36_000_000
"""Of an image that has to be decoded whole, which takes some 20 bytes a pixel (WebP)."""
JPEG_QUALITY: Final = 85
FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP")


def fit(data: bytes, mime_type: str) -> tuple[bytes, str] | None:
    """Bytes and type of an image within the limit; `None` when that cannot be had, or it is none.

    Every image is decoded, for only that shows that it is whole. Of a moving one, the first
    frame. Takes up to a second and `MAX_PIXELS`' memory: call it on a thread, one at a time.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415 - slow to import, and rarely needed

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            pixels = image.width * image.height
            as_is = len(data) <= MAX_BYTES and mime_type in SENT_AS_IS
            # A JPEG is decoded at a fraction of its size, line by line if it is not progressive.
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
            if upright.mode.startswith("I"):  # 16 bits, which Pillow would cut off at 255
                upright = upright.convert("I").point(lambda value: value * (1 / 256)).convert("L")
            rgba = upright.convert("RGBA")
            flat = Image.new("RGB", rgba.size, "white")
            flat.paste(rgba, mask=rgba)
            out = io.BytesIO()
            flat.save(out, "JPEG", quality=JPEG_QUALITY)
    # Whatever a file holds: Pillow raises what its parsers of a dozen formats happen to raise.
    except Exception as error:  # noqa: BLE001
        logger.warning("an image could not be shown", extra={"reason": type(error).__name__})
        return None
    return out.getvalue(), "image/jpeg"
