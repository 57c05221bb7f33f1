"""The text in a file's bytes. Programs of Windows still write the encoding of their country.

charset-normalizer is imported for the first such file, so that a cold start does not wait for it.
"""

import codecs
import re
from typing import Final

SAMPLE_BYTES: Final = 32_000
"""Bytes by which an encoding is recognized."""

MAX_DISORDER: Final = 0.4
"""Tables of short words measure up to 0.25, and bytes that are no text over 0.5."""

_NON_LATIN: Final = ("cp1251", "cp1253", "koi8_r", "cp1255", "cp1256", "cp874")
_LATIN: Final = ("cp1252", "cp1250", "cp1254", "cp1257", "cp850", "mac_roman")
_TWO_BYTES: Final = ("cp932", "euc_jp", "gb18030", "big5", "cp949")

_MAYBE_INSIDE: Final = bytes(range(0x30, 0x100))
"""Bytes that may be a part of a character of several bytes. A sample must not end with one."""


def is_announced(mime_type: str) -> bool:
    """Whether a file of this type claims to be text."""
    return mime_type.startswith("text/") or mime_type == "application/json"


def unicode(data: bytes) -> str | None:
    """The text of a file in UTF-8, or in UTF-16 or UTF-32 with a byte order mark; else `None`."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        encoding = "utf-32"
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif b"\x00" in data:
        return None
    else:
        encoding = "utf-8"
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:
        return None


def legacy(data: bytes) -> str | None:
    """The text of a file in another encoding, such as Shift_JIS; `None` when none fits."""
    from charset_normalizer import from_bytes  # noqa: PLC0415 - rarely needed

    sample = _sample(data)
    expected = [_utf_16(data)] if b"\x00" in data else [*_TWO_BYTES, *_NON_LATIN, *_LATIN]
    fitting = list(
        from_bytes(sample, cp_isolation=expected, enable_fallback=False, threshold=MAX_DISORDER)
    )
    if not fitting:
        return None
    # Several encodings may fit a few words equally well. In a Latin script most letters are ASCII.
    ascii_letters = len(re.findall(rb"[A-Za-z]", sample))
    other_bytes = len(re.findall(rb"[\x80-\xff]", sample))
    scripts = (_LATIN, _NON_LATIN) if ascii_letters >= other_bytes else (_NON_LATIN, _LATIN)
    order = [*_TWO_BYTES, *scripts[0], *scripts[1], "utf_16_le", "utf_16_be"]
    best = fitting[0]
    equal = [
        each
        for each in fitting
        if (each.chaos, each.coherence, each.multi_byte_usage)
        == (best.chaos, best.coherence, best.multi_byte_usage)
    ]
    encoding = min((each.encoding for each in equal), key=order.index)
    return data.decode(encoding, "replace")


def _utf_16(data: bytes) -> str:
    """UTF-16 in one of its byte orders. The zero bytes are the first halves of ASCII characters in
    one of them, and the second halves in the other.
    """
    return "utf_16_be" if data[0::2].count(0) > data[1::2].count(0) else "utf_16_le"


def _sample(data: bytes) -> bytes:
    """The part of a file that begins with the line of its first byte beyond ASCII."""
    if b"\x00" in data:
        return data[:SAMPLE_BYTES]  # UTF-16: a character has two bytes
    beyond = re.search(rb"[\x80-\xff]", data)
    start = data.rfind(b"\n", 0, beyond.start()) + 1 if beyond else 0
    sample = data[start : start + SAMPLE_BYTES]
    if start + SAMPLE_BYTES >= len(data):
        return sample
    return sample.rstrip(_MAYBE_INSIDE) or sample
