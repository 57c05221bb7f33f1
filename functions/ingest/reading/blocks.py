"""What is read of a document: its title, and its parts in order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

CELLS: Final = " | "
"""What is between the cells of a table's row."""


MAX_CHARACTERS: Final = 10_000_000
"""Of a document's text: some 8,000 passages."""
TOO_MUCH_TEXT: Final = f"It has more than {MAX_CHARACTERS:,} characters of text. Divide it."


@dataclass(frozen=True)
class Block:
    """A part of a document.

    `text` is a heading of one line, a paragraph or list, or a table with one row on each line and
    its header in the first. `level` is that of a heading: 1 is the highest, and 0 the title of the
    whole document. `page` counts from 1: of a PDF, or the slide. `anchor` is the fragment of a
    link to a heading.
    """

    kind: Literal["heading", "text", "table"]
    text: str
    level: int = 0
    page: int | None = None
    anchor: str | None = None


@dataclass(frozen=True)
class Read:
    """A document that was read. `title` is never empty."""

    title: str
    blocks: list[Block]


class UnreadableError(Exception):
    """The document cannot be read, and trying again does not help.

    `reason` is a sentence or two for the person who put it there.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def one_line(text: str) -> str:
    """The text with one space for all white space in a row."""
    return " ".join(text.split())


def paragraphs(text: str, page: int | None = None) -> Iterator[Block]:
    """The paragraphs of a text, which have empty lines between them."""
    lines: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line.strip():
            lines.append(line.rstrip())
        elif lines:
            yield Block("text", "\n".join(lines), page=page)
            lines = []


def tables(rows: Iterable[list[str]]) -> Iterator[Block]:
    """The tables of a sheet: an empty row divides what lies above it, such as a caption, from the
    table below.
    """
    for is_filled, together in groupby(rows, any):
        if is_filled:
            yield from table(together)


def table(rows: Iterable[list[str]], page: int | None = None) -> Iterator[Block]:
    """A table, without its empty rows and columns; nothing when all are empty.

    One with a single column is text: its first row is no header.
    """
    filled = [[one_line(cell) for cell in row] for row in rows]
    filled = [row for row in filled if any(row)]
    columns = sorted({column for row in filled for column, cell in enumerate(row) if cell})
    lines = [CELLS.join(row[n] if n < len(row) else "" for n in columns) for row in filled]
    if lines:
        yield Block("table" if len(columns) > 1 else "text", "\n".join(lines), page=page)
