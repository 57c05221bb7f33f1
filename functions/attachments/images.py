"""Images in a form that a provider accepts: unchanged, smaller, or in another format.

Gemini accepts 7 MB for each inline image, and no GIF. OpenAI scales images down to 2,048 pixels, so
doing that here loses nothing. An image that a provider rejects would be rejected again with every
later message of its thread.
https://docs.cloud.google.com/vertex-ai/generative-ai/docs/image/image-captioning

Pillow is imported for the first image, so that a cold start does not wait for it.
"""

import io
import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.Image import Image

logger = logging.getLogger(__name__)

MAX_BYTES: Final = 5_000_000
"""Bytes of an image that is sent unchanged; in base64 these are 6.7 MB."""
SENT_AS_IS: Final = frozenset({"image/png", "image/jpeg", "image/webp"})
MAX_SIDE: Final = 2048
MAX_SAMPLES: Final = 108_000_000
"""Pixels times components of what is decoded at once: 36 million pixels, or 27 million in CMYK or
with transparency. The largest WebP takes 0.6 GB, and the largest JPEG 0.3 GB."""
JPEG_QUALITY: Final = 85
FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP")

_START_OF_SCAN: Final = 0xDA
_WITHOUT_LENGTH: Final = {0x00, 0x01, *range(0xD0, 0xD8)}
"""JPEG markers that no length follows."""


def fit(data: bytes, mime_type: str) -> tuple[bytes, str] | None:
    """The bytes and the type of an image within the limits; `None` when it is damaged or too large.

    What is too large is refused by its header. Every other image is decoded, because only that
    shows whether it is complete. Of an animation, the first frame is returned. Takes up to a second
    and the memory of `MAX_SAMPLES`: call it on a thread, one at a time.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415 - slow to import, and rarely needed

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            as_is = len(data) <= MAX_BYTES and mime_type in SENT_AS_IS
            samples, components = _samples(image), len(image.getbands())
            # Pillow can decode a JPEG at a fraction of its size, and mostly line by line.
            image.draft("RGB", (1, 1) if as_is else (MAX_SIDE, MAX_SIDE))
            if (
                image.format == "JPEG"
                and "progressive" not in image.info
                and _is_whole_in_one_scan(data, components)
            ):
                samples = _samples(image)
            if samples > MAX_SAMPLES:
                logger.warning("an image could not be shown", extra={"reason": "too large"})
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


def _samples(image: "Image") -> int:
    """Pixels times components. Grey and palette images count as three components, because they
    are converted to RGB.
    """
    return image.width * image.height * max(3, len(image.getbands()))


def _is_whole_in_one_scan(jpeg: bytes, components: int) -> bool:
    """Whether the first scan of a JPEG has all components.

    Otherwise libjpeg holds the whole image at its full size, with two bytes for each sample
    (`has_multiple_scans` in its `jdinput.c`). The markers are read as libjpeg reads them.
    """
    at = 2
    while True:
        at = jpeg.index(b"\xff", at)
        while jpeg[at] == 0xFF:  # noqa: PLR2004 - fill bytes
            at += 1
        marker, at = jpeg[at], at + 1
        if marker == _START_OF_SCAN:
            return jpeg[at + 2] == components
        if marker not in _WITHOUT_LENGTH:
            at += int.from_bytes(jpeg[at : at + 2])
