"""PDF files: the text of each page, and headings where the file has an outline (bookmarks).

Tables are text here, because a PDF does not say what is one. Scans have no text, and are refused.
"""

import io
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from pypdf import PasswordType, PdfReader, overwrite_configuration
from pypdf.errors import LimitReachedError

from .blocks import Block, UnreadableError, one_line, paragraphs

MAX_PAGES: Final = 2_000
MAX_UNPACKED: Final = 20_000_000
"""Bytes of one stream: what is drawn on a page, or a font."""
MAX_HEADINGS: Final = 10_000

_LIMITS: Final[dict[str, Any]] = {
    "zlib_maximum_output_length": MAX_UNPACKED,
    "lzw_maximum_output_length": MAX_UNPACKED,
    "run_length_maximum_output_length": MAX_UNPACKED,
    "brotli_maximum_output_length": MAX_UNPACKED,
    "array_based_stream_maximum_output_length": MAX_UNPACKED,
    "stream_decoding_work_maximum_length": 4 * MAX_UNPACKED,
    "jbig2dec_binary": None,
}
_MAX_LINES: Final = 3
"""Lines on which a heading may stand."""
_NUMBER: Final = re.compile(r"^[\d.]+\s+")
_BULLET: Final = re.compile(r"^[\ue000-\uf8ff•▪●◦‣]\s*", re.MULTILINE)
"""Fonts of symbols have their bullets among the characters for private use."""
_HYPHENATED: Final = re.compile(r"(?<=[^\W\d_])[-\u00ad]\n(?=[a-zà-ÿ])")


@dataclass(frozen=True)
class _Heading:
    text: str
    level: int


def read(data: bytes) -> tuple[str, Iterator[Block]]:
    """The title in the file's properties, and the blocks."""
    overwrite_configuration(**_LIMITS)  # a process of its own reads one file
    reader = PdfReader(io.BytesIO(data))
    # A PDF that may be read but not changed has an empty password.
    if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
        raise UnreadableError("The PDF is encrypted. Save it without a password.")
    title = ""
    with suppress(Exception):  # a broken date or title costs the title, not the text
        title = str((reader.metadata and reader.metadata.title) or "")
    return title, _blocks(reader)


def _blocks(reader: PdfReader) -> Iterator[Block]:
    number = 0
    try:
        pages = len(reader.pages)
        if pages > MAX_PAGES:
            raise UnreadableError(f"It has {pages:,} pages, and {MAX_PAGES:,} are read. Divide it.")
        headings = _headings(reader)
        is_empty = True
        for number, page in enumerate(reader.pages, 1):
            text = page.extract_text()
            is_empty = is_empty and not text.strip()
            yield from _page(text, headings[number], number)
    except LimitReachedError as error:
        where = f"Page {number}" if number else "What lists its pages"
        raise UnreadableError(f"{where} is too large. Print the document to a new PDF.") from error
    if is_empty:
        raise UnreadableError("It has no text. Scans are not read: recognize their text first.")


def _headings(reader: PdfReader) -> dict[int, list[_Heading]]:
    """The headings of each page."""
    found: dict[int, list[_Heading]] = defaultdict(list)
    with suppress(Exception):  # a broken outline costs the headings, not the text
        for number, heading in _outline(reader, reader.outline, 1):
            found[number].append(heading)
    return found


def _outline(reader: PdfReader, items: Any, level: int) -> Iterator[tuple[int, _Heading]]:
    """The headings with their pages. A list is below the item before it."""
    for item in items[:MAX_HEADINGS]:
        if isinstance(item, list):
            yield from _outline(reader, item, level + 1)
        elif (page := reader.get_destination_page_number(item)) is not None and item.title:
            yield page + 1, _Heading(one_line(str(item.title)), level)


def _page(text: str, headings: list[_Heading], number: int) -> Iterator[Block]:
    """The blocks of a page. A heading that is not found in the text comes before what follows the
    heading before.
    """
    lines = text.splitlines()
    start = 0
    for heading in headings:
        at, end = _found(lines, heading.text, start)
        yield from _paragraphs(lines[start:at], number)
        shown = one_line(" ".join(lines[at:end])) or heading.text
        yield Block("heading", shown, heading.level, number)
        start = end
    yield from _paragraphs(lines[start:], number)


def _found(lines: list[str], heading: str, start: int) -> tuple[int, int]:
    """The first line of a heading and the one after its last. Both are `start` without it."""
    wanted = _plain(heading)
    for at in range(start, len(lines)):
        said = ""
        for end in range(at, min(at + _MAX_LINES, len(lines))):
            said += " " + lines[end]
            if _plain(said) == wanted:
                return at, end + 1
    return start, start


def _plain(heading: str) -> str:
    """A heading to be compared: without its number, which only one of both may have."""
    return _NUMBER.sub("", one_line(heading)).casefold()


def _paragraphs(lines: list[str], number: int) -> Iterator[Block]:
    text = _BULLET.sub("- ", "\n".join(lines))
    yield from paragraphs(_HYPHENATED.sub("", text), number)
