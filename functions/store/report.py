"""The report: what happened on each day, as JSON for people, plots and programs.

For each month that it touches, one query reads the totals, and another one the newest questions.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypedDict

from .. import aws
from . import keys
from .histogram import percentile
from .table import Row, Table
from .totals import (
    ANSWERS,
    CACHED,
    CALLS,
    DAY_ROW,
    ERROR,
    FAILED,
    FEEDBACK,
    FIRST_TOKEN,
    INPUT,
    MESSAGES,
    MICRODOLLARS,
    OUTCOME,
    OUTPUT,
    PEOPLE,
    QUESTION,
)

MAX_DAYS: Final = 366
MAX_QUESTIONS: Final = 200
"""Questions in a report: the newest ones."""

END_OF_DAY: Final = "~"
"""Sorts after the `#` of a day's rows and the `T` of its questions, and before the next day."""

Numbers = Mapping[str, int]


class ModelOfDay(TypedDict):
    """What one model did on a day. The times until the first token are some 10 % exact."""

    model: str
    provider: str
    answers: int
    inputTokens: int
    outputTokens: int
    cachedTokens: int
    dollars: float
    firstTokenP50Ms: int | None
    firstTokenP90Ms: int | None


class Calls(TypedDict):
    """How often a tool was called, and how many of these calls failed."""

    calls: int
    failed: int


class Day(TypedDict):
    """One day (UTC). `people` are those who were answered on it."""

    day: str
    people: int
    messages: int
    outcomes: dict[str, int]
    errors: dict[str, int]
    feedback: dict[str, int]
    tools: dict[str, Calls]
    models: list[ModelOfDay]


class AskedQuestion(TypedDict):
    """A question whose answer got a thumb down or has no source.

    `item` is the answer that got the thumb, or the message that was answered. `text` is the
    beginning of the question where `reportText` is on.
    """

    at: str
    why: str
    thread: str
    item: str
    text: str | None


Report = TypedDict(
    "Report", {"from": str, "to": str, "days": list[Day], "questions": list[AskedQuestion]}
)
"""Days from the oldest to today, also those without anything, and questions, newest first."""


def days_in(typed: str) -> int | None:
    """The number of days that a text says; `None` unless it is one from 1 to `MAX_DAYS`."""
    if not (typed.isascii() and typed.isdigit() and len(typed) <= len(str(MAX_DAYS))):
        return None
    days = int(typed)
    return days if 1 <= days <= MAX_DAYS else None


class Reports:
    """Reads reports. `table` is reached by the process's own rights: totals are nobody's."""

    def __init__(self, table: Table) -> None:
        self.table = table

    async def read(self, days: int, today: date | None = None) -> Report:
        """The report of the last `days` (1 to `MAX_DAYS`), of which `today` is the last one.

        Two queries for each month, in parallel.
        """
        last = today or datetime.now(UTC).date()
        all_days = [(last - timedelta(days=back)).isoformat() for back in range(days)][::-1]
        months = sorted({day[:7] for day in all_days})
        first, end = all_days[0], all_days[-1] + END_OF_DAY
        read = await aws.together(
            *(self._rows(month, first, end) for month in months),
            *(
                self._rows(month, QUESTION + first, QUESTION + end, newest=MAX_QUESTIONS)
                for month in reversed(months)
            ),
        )
        rows = defaultdict(list)
        for row in (row for found in read[: len(months)] for row in found):
            rows[row["sk"]["S"].partition("#")[0]].append(row)
        questions = [_question(row) for found in read[len(months) :] for row in found]
        return {
            "from": all_days[0],
            "to": all_days[-1],
            "days": [_day(day, rows[day]) for day in all_days],
            "questions": questions[:MAX_QUESTIONS],
        }

    async def _rows(
        self, month: str, first: str, last: str, *, newest: int | None = None
    ) -> list[Row]:
        """The rows between two sort keys; the last `newest` of them, backwards, if that is given.

        Tombstones are left out.
        """
        query: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":pk": {"S": keys.totals_partition(month)},
                ":first": {"S": first},
                ":last": {"S": last},
            },
        }
        if newest is not None:
            query |= {"ScanIndexForward": False, "Limit": newest}
        rows: list[Row] = []
        async for row in self.table.query(**query):
            if row.keys() - {"pk", "sk", "expires"}:
                rows.append(row)
            if len(rows) == newest:
                break
        return rows


def _day(day: str, rows: Iterable[Row]) -> Day:
    of_day: Numbers = {}
    of_models: Counter[str] = Counter()
    models = []
    for row in rows:
        # A mark that was given before anything was counted may be taken back: never below zero.
        numbers = {name: max(0, int(value["N"])) for name, value in row.items() if "N" in value}
        if row["sk"]["S"].endswith(f"#{DAY_ROW}"):
            of_day = numbers
        else:
            of_models.update(numbers)
            models.append(_model(row, numbers))
    failed = _named(of_models, FAILED)
    return {
        "day": day,
        "people": of_day.get(PEOPLE, 0),
        "messages": of_day.get(MESSAGES, 0),
        "outcomes": _named(of_models, OUTCOME),
        "errors": _named(of_models, ERROR),
        "feedback": {"positive": 0, "negative": 0, **_named(of_day, FEEDBACK)},
        "tools": {
            name: {"calls": calls, "failed": failed.get(name, 0)}
            for name, calls in _named(of_models, CALLS).items()
        },
        "models": models,
    }


def _model(row: Row, numbers: Numbers) -> ModelOfDay:
    first = {int(bucket): count for bucket, count in _named(numbers, FIRST_TOKEN).items()}
    return {
        "model": row["model"]["S"],
        "provider": row["provider"]["S"],
        "answers": numbers.get(ANSWERS, 0),
        "inputTokens": numbers.get(INPUT, 0),
        "outputTokens": numbers.get(OUTPUT, 0),
        "cachedTokens": numbers.get(CACHED, 0),
        "dollars": numbers.get(MICRODOLLARS, 0) / 1_000_000,
        "firstTokenP50Ms": percentile(first, 0.5),
        "firstTokenP90Ms": percentile(first, 0.9),
    }


def _named(numbers: Numbers, beginning: str) -> dict[str, int]:
    """The numbers whose names begin so, by the rest of their names; the largest first."""
    found = {
        name.removeprefix(beginning): number
        for name, number in numbers.items()
        if name.startswith(beginning) and number
    }
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))


def _question(row: Row) -> AskedQuestion:
    return {
        "at": row["at"]["S"],
        "why": row["why"]["S"],
        "thread": row["thread"]["S"],
        "item": row["item"]["S"],
        "text": row["text"]["S"] if "text" in row else None,
    }
