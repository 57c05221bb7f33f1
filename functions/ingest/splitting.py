"""Documents in passages: small enough to embed, large enough to understand.

A section is what lies under a heading, with its subsections. It is one passage when it fits and
is on one page. Else its own text is divided where its parts end, and each subsection is split by
itself. So no passage crosses a heading of the same or a higher level.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ..knowledge.passages import PassageText
from ..llm.length import BYTES_OF_A_TOKEN
from .reading import Block, Read

_LONG_HEADING: Final = 8
"""A heading with more than this part of a passage is taken as text: it would be in each path."""
_LONG_HEADER: Final = 3
"""The header of a table with more than this part of a passage is not repeated."""

_PARAGRAPH: Final = "\n\n"
_SENTENCES: Final = re.compile(
    r"""((?:(?<=[.!?…])|(?<=[.!?…]["'”’»)\]]))\s+|(?<=[。！？])|\n+)"""  # noqa: RUF001 - Chinese
)
_ITEMS: Final = re.compile(r"(\n)(?=[ \t]*(?:[-*•]|\d{1,3}[.)])[ \t])")
_WORDS: Final = re.compile(r"(\s+)")


def split(read: Read, tokens: int) -> list[PassageText]:
    """The passages of a document, in order. Every word of the document is in the text or in the
    headings of one.

    Text and headings have `tokens` together at most, in the estimate of `llm.length`. When the
    path of headings takes more than half of that, the text still gets the other half.
    """
    limit = tokens * BYTES_OF_A_TOKEN
    return list(_passages(_tree(read.blocks, limit), (), None, limit))


@dataclass
class _Section:
    """`heading` is `None` for the whole document."""

    heading: Block | None
    blocks: list[Block] = field(default_factory=list)
    sections: list["_Section"] = field(default_factory=list)

    def all_blocks(self) -> Iterator[Block]:
        """The blocks below the heading, those of subsections with their headings."""
        yield from self.blocks
        for section in self.sections:
            if section.heading:
                yield section.heading
            yield from section.all_blocks()


@dataclass
class _Unit:
    """Text that is not divided. `glue` is between it and the unit before, in the same passage."""

    glue: str
    text: str
    page: int | None

    @property
    def size(self) -> int:
        return _size(self.glue) + _size(self.text)


def _size(text: str) -> int:
    return len(text.encode())


def _tree(blocks: list[Block], limit: int) -> _Section:
    open_sections = [_Section(None)]
    for block in blocks:
        if block.kind != "heading" or _size(block.text) > limit // _LONG_HEADING:
            open_sections[-1].blocks.append(block)
            continue
        while (above := open_sections[-1].heading) and above.level >= block.level:
            open_sections.pop()
        section = _Section(block)
        open_sections[-1].sections.append(section)
        open_sections.append(section)
    return open_sections[0]


def _passages(
    section: _Section, above: tuple[str, ...], anchor: str | None, limit: int
) -> Iterator[PassageText]:
    path, heading = above, section.heading
    if heading:
        path, anchor = (*above, heading.text), heading.anchor or anchor
    room = max(limit - sum(_size(each) + 1 for each in path), limit // 2, 1)
    whole = list(section.all_blocks())
    if heading and not whole:
        yield PassageText(heading.text, above, heading.page, anchor)
    elif heading and section.blocks and _is_one(whole, room):
        yield from _packed([_Unit(_PARAGRAPH, b.text, b.page) for b in whole], path, anchor, room)
    else:
        units = [unit for block in section.blocks for unit in _units(block, room)]
        yield from _packed(units, path, anchor, room)
        for below in section.sections:
            yield from _passages(below, path, anchor, limit)


def _is_one(blocks: list[Block], room: int) -> bool:
    size = sum(_size(block.text) + len(_PARAGRAPH) for block in blocks)
    return size <= room and len({block.page for block in blocks}) == 1


def _packed(
    units: list[_Unit], path: tuple[str, ...], anchor: str | None, room: int
) -> Iterator[PassageText]:
    """The units in passages of about the same size: a short rest says little by itself."""
    aim = _even(sum(unit.size for unit in units), room)
    text, page, size = "", None, 0
    for unit in units:
        if text and (size >= aim or size + unit.size > room):
            yield PassageText(text, path, page, anchor)
            text, size = "", 0
        if not text:
            page = unit.page
        text += unit.glue + unit.text if text else unit.text
        size += unit.size
    if text:
        yield PassageText(text, path, page, anchor)


def _even(total: int, room: int) -> float:
    """The size of parts that are equal, as few as there can be."""
    return total / max(-(-total // room), 1)


def _units(block: Block, room: int) -> Iterator[_Unit]:
    if _size(block.text) + len(_PARAGRAPH) <= room:
        yield _Unit(_PARAGRAPH, block.text, block.page)
    elif block.kind == "table":
        for text in _tables(block.text.split("\n"), room - len(_PARAGRAPH)):
            yield from _pieces(text, block.page, room)
    else:
        yield from _pieces(block.text, block.page, room)


def _tables(rows: list[str], room: int) -> Iterator[str]:
    """A table in several: each has the header, and as many rows as fit."""
    header = rows[0] if _size(rows[0]) <= room // _LONG_HEADER else None
    if header is not None:
        rows = rows[1:]
        room -= _size(header) + 1
    aim = _even(sum(_size(row) + 1 for row in rows), room)
    taken: list[str] = []
    size = 0

    def table() -> str:
        return "\n".join(taken if header is None else [header, *taken])

    for row in rows:
        if taken and (size >= aim or size + _size(row) + 1 > room):
            yield table()
            taken, size = [], 0
        taken.append(row)
        size += _size(row) + 1
    yield table()


def _pieces(text: str, page: int | None, room: int) -> Iterator[_Unit]:
    """A text that may be too long: in items of a list, sentences, words or less, as it must."""
    glue = _PARAGRAPH
    for piece, after in _divided(text, room - len(_PARAGRAPH), (_ITEMS, _SENTENCES, _WORDS)):
        yield _Unit(glue, piece, page)
        glue = after


def _divided(text: str, room: int, ends: tuple[re.Pattern[str], ...]) -> Iterator[tuple[str, str]]:
    """The pieces of a text that have room, each with what is between it and the next."""
    if _size(text) <= room:
        yield text, ""
    elif ends:
        for part, after in _parts(ends[0], text):
            pieces = list(_divided(part, room, ends[1:]))
            yield from pieces[:-1]
            yield pieces[-1][0], after
    else:
        step = max(room // 4, 1)  # a character has four bytes at most
        for start in range(0, len(text), step):
            yield text[start : start + step], ""


def _parts(between: re.Pattern[str], text: str) -> Iterator[tuple[str, str]]:
    """The parts of a text that are not empty, each with what is between it and the next."""
    parts = [*between.split(text), ""]
    for part, after in zip(parts[::2], parts[1::2], strict=True):
        if part:
            yield part, after
