"""Rate limits: messages per user and window, and per day for the whole stage."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from .. import aws
from ..aws.keys import owner
from ..errors import PublicError
from . import keys
from .keys import Key
from .table import ConditionFailed, Row, Table

KEPT_SECONDS: Final = 3600
"""Seconds that a counter is kept after its window, because clocks differ."""


class OverQuota(PublicError):  # noqa: N818 - what happened, as callers name it
    """A rate limit is reached (status 429). `retry_after` (whole seconds) becomes a header."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(429, message, {"retry-after": str(retry_after)})


@dataclass(frozen=True)
class _Counter:
    table: Table
    key: Key
    limit: int
    ends: float
    message: str

    def over(self) -> OverQuota:
        return OverQuota(self.message, max(1, int(self.ends - time.time()) + 1))


class Quota:
    """Counts messages against two limits; `None` turns a limit off.

    `per_user`: messages of one user in each window of `window_seconds` (a window starts at a
    multiple of that, in Unix time). `per_day`: messages of all users together in a UTC day, which
    are counted in `stage_table`, by default the same.
    """

    def __init__(
        self,
        table: Table,
        *,
        per_user: int | None,
        window_seconds: int = 60,
        per_day: int | None,
        stage_table: Table | None = None,
    ) -> None:
        self.table = table
        self.stage_table = stage_table or table
        self.per_user = per_user
        self.window_seconds = window_seconds
        self.per_day = per_day

    async def check(self, context: Any) -> None:
        """Raise `OverQuota` when a limit is reached. One read unit per counter.

        One request, or two in parallel where the two tables are not the same.
        """
        counters = self._counters(owner(context))
        tables = dict.fromkeys(counter.table for counter in counters)
        await aws.together(
            *(self._check(table, [c for c in counters if c.table is table]) for table in tables)
        )

    async def _check(self, table: Table, counters: list[_Counter]) -> None:
        rows = await table.get_many([counter.key for counter in counters])
        for counter, row in zip(counters, rows, strict=True):
            if _used(row) >= counter.limit:
                raise counter.over()

    async def spend(self, context: Any) -> None:
        """Count one message. Raises `OverQuota` when it is over a limit.

        One atomic write for each counter, in parallel. When one limit is reached, the other
        counter has still counted the message; a `check` before it makes that rare. The writes are
        never part of a transaction: all users share the day's row, so transactions would conflict.
        """
        counters = self._counters(owner(context))
        counted = await aws.together(*(self._add(counter) for counter in counters))
        for counter, within_limit in zip(counters, counted, strict=True):
            if not within_limit:
                raise counter.over()

    async def _add(self, counter: _Counter) -> bool:
        """Count one message; False when the limit is reached."""
        try:
            await counter.table.update(
                counter.key,
                "SET expires = :expires ADD used :one",
                ConditionExpression="attribute_not_exists(used) OR used < :limit",
                ExpressionAttributeValues={
                    ":one": {"N": "1"},
                    ":limit": {"N": str(counter.limit)},
                    ":expires": {"N": str(int(counter.ends) + KEPT_SECONDS)},
                },
            )
        except ConditionFailed:
            return False
        return True

    def _counters(self, user: str) -> list[_Counter]:
        now = time.time()
        counters = []
        if self.per_user is not None:
            start = int(now // self.window_seconds) * self.window_seconds
            counters.append(
                _Counter(
                    self.table,
                    keys.key(keys.quota_partition(user), f"{self.window_seconds}#{start}"),
                    self.per_user,
                    start + self.window_seconds,
                    "You have sent many messages in a short time. Please wait a moment.",
                )
            )
        if self.per_day is not None:
            today = datetime.fromtimestamp(now, UTC).date()
            tomorrow = datetime.combine(today + timedelta(days=1), datetime.min.time(), UTC)
            counters.append(
                _Counter(
                    self.stage_table,
                    keys.key(keys.STAGE, f"DAY#{today.isoformat()}"),
                    self.per_day,
                    tomorrow.timestamp(),
                    "The limit of messages for today is reached. Please come back tomorrow.",
                )
            )
        return counters


def _used(row: Row | None) -> int:
    return int(row["used"]["N"]) if row and "used" in row else 0
