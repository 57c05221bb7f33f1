"""The table that is asked about: the newest CSV file of the conversation, or else the sample."""

import asyncio
import csv
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from chatkit.types import Attachment
from pydantic import BaseModel

from functions.toolkit import ActionError, Turn

SAMPLE = Path(__file__).parent / "sales.csv"
MAX_BYTES = 5_000_000
FIRST_ROW = 2
"""Rows are counted as a spreadsheet counts them: the names of the columns are row 1."""


class Data(BaseModel):
    """What is kept for each conversation."""

    file: str | None = None
    """The id of the newest CSV file."""


@dataclass(frozen=True)
class Table:
    name: str
    columns: list[str]
    rows: list[list[str]]

    def column(self, name: str) -> int:
        """The place of a column. Raises `ActionError`, which tells the model the right names."""
        for place, known in enumerate(self.columns):
            if known.casefold() == name.strip().casefold():
                return place
        names = ", ".join(self.columns)
        raise ActionError(422, f"There is no column {name}. The columns are: {names}.")


def is_table(attachment: Attachment) -> bool:
    return attachment.name.lower().endswith(".csv")


async def remember_file(turn: Turn) -> None:
    """Keep which file the visitor has attached last: the history does not go back for ever."""
    files = [file for file in turn.message.attachments if is_table(file)] if turn.message else []
    if files:
        await turn.thread_data.change(lambda _: Data(file=files[-1].id))


async def newest_file(turn: Turn) -> Attachment | None:
    known: Data = await turn.thread_data.read()
    if known.file is None:
        return None
    return await turn.store.load_attachment(known.file, turn.request_context)


async def newest_table(turn: Turn) -> Table:
    """The table of the newest CSV file, or the sample. Raises `ActionError` when it is no table."""
    file = await newest_file(turn)
    if file is None:
        return await asyncio.to_thread(read, SAMPLE.name, SAMPLE.read_bytes())
    data = await turn.files.read(file, turn.request_context)
    if data is None:
        raise ActionError(404, f"{file.name} is not there any more. Attach it again.")
    return await asyncio.to_thread(read, file.name, data)  # other answers go on meanwhile


def read(name: str, data: bytes) -> Table:
    if len(data) > MAX_BYTES:
        raise ActionError(422, f"{name} is too large: at most {MAX_BYTES // 1_000_000} MB.")
    text = data.decode("utf-8-sig", errors="replace")
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    try:
        lines = [line for line in csv.reader(io.StringIO(text), delimiter=delimiter) if line]
    except csv.Error as error:
        raise ActionError(422, f"{name} is no table: {error}.") from None
    columns, *rows = lines or [[]]
    if not rows:
        raise ActionError(422, f"{name} has no rows.")
    # A row that is too short gets empty fields.
    return Table(name, columns, [row + [""] * (len(columns) - len(row)) for row in rows])


def number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None  # `NaN` stands for a missing value


def mark(rows: Iterable[int], *, at_most: int = 8) -> str:
    """A mark that cites rows: `[rows 2, 5]`. `sources.py` makes a source of it."""
    numbers = [str(row) for row in rows]
    more = f" and {len(numbers) - at_most} more" if len(numbers) > at_most else ""
    return f"[{'row' if len(numbers) == 1 else 'rows'} {', '.join(numbers[:at_most])}{more}]"
