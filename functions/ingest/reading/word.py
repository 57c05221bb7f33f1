"""Word files. Headings are known by their styles; pages, headers and footers are not read."""

import io
import re
from collections.abc import Iterator
from typing import Any, Final

from docx import Document
from docx.oxml import parse_xml
from docx.oxml.ns import qn

from ...files import office
from .blocks import Block, one_line, table

_HEADING: Final = re.compile(r"heading ([1-9])", re.IGNORECASE)
_BODY_LEVEL: Final = 9
"""The outline level that Word writes for text. 0 is the highest of headings."""
_CONTENTS: Final = -1
"""In place of a level: a line of the table of contents, which repeats headings."""
_MAX_BASES: Final = 20


def read(data: bytes) -> tuple[str, Iterator[Block]]:
    """The title in the file's properties, and the blocks."""
    document = Document(io.BytesIO(data))
    return document.core_properties.title, _blocks(document)


def _blocks(document: Any) -> Iterator[Block]:
    levels = {style.style_id: _level_of_style(style) for style in document.styles}
    notes = _notes(document)
    yield from _joined(_parts(document.element.body, levels, notes))
    for note in notes.values():  # those of tables
        yield Block("text", note)


def _notes(document: Any) -> dict[tuple[str, str], str]:
    """The texts of footnotes and endnotes, by the kind and the id in the reference to it."""
    found = {}
    for link in document.part.rels.values():
        kind = link.reltype.rpartition("/")[2].removesuffix("s")
        if kind in {"footnote", "endnote"} and not link.is_external:
            for note in parse_xml(link.target_part.blob):
                if text := " ".join(office.lines(note)).strip():
                    found[kind, note.get(qn("w:id"))] = text
    return found


def _level_of_style(style: Any) -> int | None:
    """The level of headings with this style, by its name, which is English in every language, or
    by its outline level; or by those of the style that it is based on.
    """
    for _ in range(_MAX_BASES):
        if style is None:
            break
        name = str(style.name).casefold()
        if heading := _HEADING.fullmatch(name):
            return int(heading[1])
        if name == "title":
            return 0
        if name.startswith("toc ") and name != "toc heading":
            return _CONTENTS
        properties = style.element.find(qn("w:pPr"))
        if (level := _outline_level(properties)) is not None:
            return level
        style = getattr(style, "base_style", None)
    return None


def _outline_level(properties: Any) -> int | None:
    found = None if properties is None else properties.find(qn("w:outlineLvl"))
    level = -1 if found is None else int(found.get(qn("w:val"), _BODY_LEVEL))
    return level + 1 if 0 <= level < _BODY_LEVEL else None


def _parts(
    parent: Any, levels: dict[str, int | None], notes: dict[tuple[str, str], str]
) -> Iterator[tuple[bool, Block]]:
    """Blocks, each with whether it is the item of a list. A note comes after what refers to it,
    and is taken out of `notes`.
    """
    for child in parent:
        match office.tag(child):
            case "p":
                text = "".join(office.words(child)).strip()
                properties = child.find(qn("w:pPr"))
                level, is_item = _level(properties, levels)
                if not text or level == _CONTENTS:
                    pass
                elif level is not None:
                    yield False, Block("heading", one_line(text), level)
                else:
                    yield is_item, Block("text", f"- {text}" if is_item else text)
                for kind in ("footnote", "endnote"):
                    for reference in child.iter(qn(f"w:{kind}Reference")):
                        if note := notes.pop((kind, reference.get(qn("w:id"))), None):
                            yield False, Block("text", note)
            case "tbl":
                rows = ([" ".join(office.lines(cell)) for cell in row] for row in _rows(child))
                yield from ((False, block) for block in table(rows))
            case _:
                yield from _parts(child, levels, notes)


def _level(properties: Any, levels: dict[str, int | None]) -> tuple[int | None, bool]:
    """The level of a heading, or `None` for text; and whether that is the item of a list."""
    if properties is None:
        return None, False
    style = properties.find(qn("w:pStyle"))
    level = levels.get(style.get(qn("w:val"))) if style is not None else None
    if level is None:
        level = _outline_level(properties)
    return level, properties.find(qn("w:numPr")) is not None


def _rows(parent: Any) -> Iterator[list[Any]]:
    for child in parent:
        if office.tag(child) == "tr":
            yield [cell for cell in child if office.tag(cell) in {"tc", "sdt"}]
        else:
            yield from _rows(child)


def _joined(parts: Iterator[tuple[bool, Block]]) -> Iterator[Block]:
    """The blocks, with items in a row as one list."""
    items: list[str] = []
    for is_item, block in parts:
        if is_item:
            items.append(block.text)
            continue
        if items:
            yield Block("text", "\n".join(items))
            items = []
        yield block
    if items:
        yield Block("text", "\n".join(items))
