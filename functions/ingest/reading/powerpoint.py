"""PowerPoint files: a heading for each slide that is shown, its text, its tables and its notes."""

import io
from collections.abc import Iterator
from typing import Any

from pptx import Presentation
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.oxml import parse_xml

from ...files import office
from .blocks import Block, one_line, paragraphs, table


def read(data: bytes) -> tuple[str, Iterator[Block]]:
    """The title in the file's properties, and the blocks."""
    show = Presentation(io.BytesIO(data))
    return show.core_properties.title, _slides(show)


def _slides(show: Any) -> Iterator[Block]:
    for number, slide in enumerate(show.slides, 1):
        if slide.element.get("show") in {"0", "false"}:
            continue
        title = slide.shapes.title
        heading = one_line(title.text_frame.text) if title is not None else ""
        others = [each for each in slide.shapes if each.shape_id != getattr(title, "shape_id", -1)]
        blocks = [*_shapes(others, number), *_diagrams(slide, number)]
        if not heading and blocks:  # what stands first says what the slide is about
            heading, _, rest = blocks[0].text.partition("\n")
            blocks[:1] = [Block("text", rest, page=number)] if rest else []
        if heading:
            yield Block("heading", heading, level=1, page=number)
        yield from blocks
        if slide.has_notes_slide:
            yield from _shapes(filter(_is_note, slide.notes_slide.shapes), number)


def _is_note(shape: Any) -> bool:
    """Whether it is the text of the notes, and not the slide's picture, its number or a date."""
    return not shape.is_placeholder or shape.placeholder_format.type == PP_PLACEHOLDER.BODY


def _shapes(shapes: Any, page: int) -> Iterator[Block]:
    for shape in shapes:
        if hasattr(shape, "shapes"):  # a group
            yield from _shapes(shape.shapes, page)
        elif shape.has_text_frame:
            yield from paragraphs(_text(shape.text_frame), page)
        elif getattr(shape, "has_table", False):
            rows = ([cell.text_frame.text for cell in row.cells] for row in shape.table.rows)
            yield from table(rows, page)


def _text(frame: Any) -> str:
    return str(frame.text).replace("\v", "\n")  # a break inside a paragraph


def _diagrams(slide: Any, page: int) -> Iterator[Block]:
    """The texts of SmartArt, which lie in files beside the slide."""
    for link in slide.part.rels.values():
        if not link.is_external and link.reltype.endswith("/diagramData"):
            texts = [
                e.text for e in parse_xml(link.target_part.blob).iter() if office.tag(e) == "t"
            ]
            yield from paragraphs("\n".join(filter(None, texts)), page)
