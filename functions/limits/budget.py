"""The stage's budget: the dollars that all models together may cost in a day (UTC).

It is the limit `dollars_per_day` of the stage, counted in the stage's rows. Each answer reserves
from it with a conditional write, so what is allowed here takes effect at once.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..metrics import as_metrics
from ..store.counters import Numbers, allowed_name, held
from ..store.table import ConditionFailed, Table
from .limits import stage_rows
from .measures import MEASURES, MICRO, OverLimit

logger = logging.getLogger(__name__)

_DOLLARS: Final = MEASURES["dollars_per_day"]


class BudgetChanged(Exception):  # noqa: N818 - what happened, as callers name it
    """The budget has changed since it was read: somebody allowed more, or a new day began."""


@dataclass(frozen=True)
class BudgetDay:
    """What a day's budget has come to, in dollars."""

    end: int
    """The end of the day in Unix seconds."""
    limit: float
    allowed: float
    """What was allowed for this day on top of the limit."""
    cost: float
    """What the answers that have ended have cost."""
    held: float
    """What is reserved for answers that are being written."""
    rows: Sequence[Numbers]

    @property
    def left(self) -> float:
        return self.limit + self.allowed - self.cost - self.held


class Budget:
    """A budget of so many dollars a day, which is spread on so many rows (`stage_shards`)."""

    def __init__(self, table: Table, dollars: float, shards: int) -> None:
        self._rows = stage_rows(table, shards)
        self._dollars = dollars

    async def today(self) -> BudgetDay:
        """One read for each row."""
        end = _DOLLARS.end(time.time())
        name = _name(end)
        rows = [await row.read() for row in self._rows]
        kept = sum(held(numbers, name) for numbers in rows)
        allowed = sum(numbers.get(allowed_name(name), 0) for numbers in rows)
        counted = sum(numbers.get(name, 0) for numbers in rows)
        return BudgetDay(
            end,
            self._dollars,
            allowed / MICRO,
            (counted + allowed - kept) / MICRO,
            kept / MICRO,
            rows,
        )

    async def allow(self, day: BudgetDay, dollars: float) -> None:
        """Allow so many more dollars for `day`, on top of what was allowed before.

        One write for each row, one after the other: each row gets an equal part. Raises
        `BudgetChanged` when `day` is out of date; then some of the rows may have got their part.
        """
        if time.time() >= day.end:
            raise BudgetChanged
        part, rest = divmod(round(dollars * MICRO), len(self._rows))
        for number, (row, numbers) in enumerate(zip(self._rows, day.rows, strict=True)):
            try:
                await row.allow(_name(day.end), part + (number < rest), numbers)
            except ConditionFailed:
                raise BudgetChanged from None


def log_if_budget(refusal: OverLimit) -> None:
    """Log that the stage's budget refuses an answer, or the next call of one, unless it is only
    held for answers that are being written.

    The stack's alarm counts the metric `budget_refusals`. It is an error, so that it is
    logged at every level.
    """
    of_the_stage = refusal.scope == "stage" and refusal.measure is _DOLLARS
    if of_the_stage and refusal.why != "held":
        logger.error(
            "the stage's budget of the day refuses an answer (%s): see make budget",
            refusal.why,
            extra=as_metrics({"budget_refusals": 1}),
        )


def _name(end: int) -> str:
    return f"{_DOLLARS.name}:{end}"
