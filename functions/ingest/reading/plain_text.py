"""Text files: paragraphs with empty lines between them."""

import re
from collections.abc import Iterator
from typing import Final

from ...files import text
from .blocks import MAX_CHARACTERS, TOO_MUCH_TEXT, Block, UnreadableError, paragraphs

_CONTROLS: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


def read(data: bytes) -> tuple[str, Iterator[Block]]:
    """The title, here always empty, and the blocks."""
    return "", paragraphs(decoded(data))


def decoded(data: bytes) -> str:
    """The text in a file of any encoding. Raises `UnreadableError` when it is no text, or too
    much.
    """
    found = text.unicode(data)
    if found is None:
        found = text.legacy(data)
    if found is None:
        raise UnreadableError("It is no text, or in an encoding that is not known. UTF-8 is read.")
    if len(found) > MAX_CHARACTERS:
        raise UnreadableError(TOO_MUCH_TEXT)
    return found


def is_text(data: bytes) -> bool:
    """Whether a file whose name says nothing is text: Unicode, without control characters."""
    found = text.unicode(data)
    return found is not None and not _CONTROLS.search(found)
