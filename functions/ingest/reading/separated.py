"""CSV files, and others with a table of text. The first row is the header."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Final

from .blocks import Block, UnreadableError, tables
from .plain_text import decoded

MAX_ROWS: Final = 50_000
"""Rows of all tables in a CSV or Excel file; empty ones count."""
MAX_COLUMNS: Final = 256

TOO_MANY_ROWS: Final = (
    f"It has more than {MAX_ROWS:,} rows. Divide it, or leave out what nobody asks."
)
TOO_MANY_COLUMNS: Final = f"It has more than {MAX_COLUMNS} columns."

_SEPARATORS: Final = ",;\t|"
_SAMPLE: Final = 8_000
"""Characters by which the separator is recognized."""


def read(data: bytes) -> tuple[str, Iterator[Block]]:
    """The title, here always empty, and the blocks."""
    return "", tables(_rows(decoded(data)))


def _rows(text: str) -> Iterator[list[str]]:
    csv.field_size_limit(len(text) + 1)  # a process of its own reads one file
    separator = max(_SEPARATORS, key=partial(_fits, text[:_SAMPLE]))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    for count, row in enumerate(reader):
        if count == MAX_ROWS:
            raise UnreadableError(TOO_MANY_ROWS)
        if len(row) > MAX_COLUMNS:
            raise UnreadableError(TOO_MANY_COLUMNS)
        yield row


def _fits(sample: str, separator: str) -> tuple[float, int]:
    """How many rows have the same number of columns with this separator, and that number."""
    columns = Counter(map(len, csv.reader(io.StringIO(sample, newline=""), delimiter=separator)))
    number, rows = max(columns.items(), key=lambda each: (each[0] > 1, each[1]))
    return (rows / columns.total() if number > 1 else 0, number)
