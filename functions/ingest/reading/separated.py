"""CSV files, and others with a table of text. The first row is the header."""

import csv
import io
from collections.abc import Iterator
from typing import Final

from .blocks import Block, UnreadableError, table
from .plain_text import decoded

MAX_ROWS: Final = 50_000
"""Rows of all tables in a CSV or Excel file; empty ones count."""
MAX_COLUMNS: Final = 256

TOO_MANY_ROWS: Final = (
    f"It has more than {MAX_ROWS:,} rows. Divide it, or leave out what nobody asks."
)
TOO_MANY_COLUMNS: Final = f"It has more than {MAX_COLUMNS} columns."

_SAMPLE: Final = 8_000
"""Characters by which the separator is recognized."""


def read(data: bytes) -> tuple[str, Iterator[Block]]:
    """The title, here always empty, and the blocks."""
    return "", table(_rows(decoded(data)))


def _rows(text: str) -> Iterator[list[str]]:
    csv.field_size_limit(len(text) + 1)  # a process of its own reads one file
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:_SAMPLE], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    for count, row in enumerate(csv.reader(io.StringIO(text, newline=""), dialect)):
        if count == MAX_ROWS:
            raise UnreadableError(TOO_MANY_ROWS)
        if len(row) > MAX_COLUMNS:
            raise UnreadableError(TOO_MANY_COLUMNS)
        yield row
