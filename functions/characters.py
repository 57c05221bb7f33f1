"""Half characters. JSON may escape half of a character that has two UTF-16 units, such as an emoji:
JavaScript cuts text between them, and a provider may send the halves in two pieces. Python can hold
a half, but neither store nor send it.
"""

import re

HALF = "\ufffd"
"""Stands for a half whose other half is missing."""

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
