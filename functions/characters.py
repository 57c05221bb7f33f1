"""Characters that text must not have: halves, and in one line the control characters.

JSON may escape half of a character that has two UTF-16 units, such as an emoji: JavaScript cuts
text between them, and a provider may send the halves in two pieces. Python can hold a half, but
neither store nor send it.
"""

import re
import unicodedata

HALF = "\ufffd"
"""Stands for a half whose other half is missing."""

_JOINERS = "\u200c\u200d"
"""Of the format characters, words of some languages and emoji need these two."""

_ESCAPE = re.compile(
    rb"""\\(?: (?P<whole> u[dD][89abAB][0-9a-fA-F]{2} \\u[dD][c-fC-F][0-9a-fA-F]{2} )
             | (?P<half> u[dD][89a-fA-F][0-9a-fA-F]{2} )
             | . )""",
    re.VERBOSE | re.DOTALL,
)


def has_half(json: bytes) -> bool:
    """Whether JSON may have an escaped half of a character."""
    return re.search(rb"\\u[dD][89a-fA-F]", json) is not None


def whole_json(json: bytes) -> bytes:
    """The JSON with `HALF` in place of each half character in it."""
    if not has_half(json):
        return json
    return _ESCAPE.sub(lambda found: rb"\ufffd" if found["half"] else found[0], json)


def whole(text: str) -> str:
    """The text with halves joined where two belong together, and replaced where not."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def one_line(text: str) -> str:
    """The text without control and format characters, and with single spaces."""
    kept = (" " if _is_control(each) else each for each in text)
    return " ".join("".join(kept).split())


def _is_control(character: str) -> bool:
    if character in _JOINERS:
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
