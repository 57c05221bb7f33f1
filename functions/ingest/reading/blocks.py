"""What is read of a document: its title, and its parts in order."""

from dataclasses import dataclass
from typing import Final, Literal

CELLS: Final = " | "
"""What is between the cells of a table's row."""


@dataclass(frozen=True)
class Block:
    """A part of a document.

    `text` is a heading of one line, a paragraph or list, or a table with one row on each line and
    its header in the first. `level` is that of a heading: 1 is the highest, and 0 the title of the
    whole document. `page` counts from 1. `anchor` is the fragment of a link to a heading.
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
