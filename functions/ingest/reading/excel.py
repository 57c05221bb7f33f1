"""Excel files: a heading for each sheet that is shown, and its tables.

Cells have the values that their formulas had when the file was saved.
"""

import datetime as dt
import io
from collections.abc import Iterator
from typing import Any

from openpyxl import load_workbook

from .blocks import Block, UnreadableError, tables
from .separated import MAX_COLUMNS, MAX_ROWS, TOO_MANY_COLUMNS, TOO_MANY_ROWS


def read(data: bytes) -> tuple[str, Iterator[Block]]:
    """The title in the file's properties, and the blocks."""
    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    return book.properties.title or "", _sheets(book)


def _sheets(book: Any) -> Iterator[Block]:
    left = [MAX_ROWS]
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            continue
        yield Block("heading", sheet.title, level=1)
        yield from tables(_rows(sheet, left))


def _rows(sheet: Any, left: list[int]) -> Iterator[list[str]]:
    """The rows of a sheet. `left` counts how many may come, of all sheets together."""
    sheet.reset_dimensions()  # what the file says of its size may be wrong
    for row in sheet.iter_rows():
        if not left[0]:
            raise UnreadableError(TOO_MANY_ROWS)
        left[0] -= 1
        cells = [_shown(cell) for cell in row]
        if any(cells[MAX_COLUMNS:]):
            raise UnreadableError(TOO_MANY_COLUMNS)
        yield cells


def _shown(cell: Any) -> str:
    """A cell about as Excel shows it: dates without a time at midnight, and percentages."""
    value = cell.value
    match value:
        case None:
            return ""
        case dt.datetime() if value.time() == dt.time():
            return str(value.date())
        case float() if "%" in str(cell.number_format):
            return f"{value * 100:.10g}%"
        case float():
            return f"{value:.15g}"
    return str(value)
