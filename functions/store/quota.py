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
"""How long a counter outlives its window, for clocks that differ."""


class OverQuota(PublicError):  # noqa: N818 - what happened, as callers name it
    """No more messages for now. `retry_after` is in whole seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(429, message, {"retry-after": str(retry_after)})
        self.retry_after = retry_after


@dataclass(frozen=True)
class _Counter:
    key: Key
    limit: int
    ends: float
    message: str

    def over(self) -> OverQuota:
        return OverQuota(self.message, max(1, int(self.ends - time.time()) + 1))


class Quota:
    """Counts messages. `None` as a limit turns that one off.

    `per_user` messages in each `window_seconds` (windows begin at multiples of
    it, Unix time); `per_day` messages for everybody together in a UTC day.
    """

    def __init__(
        self,
        table: Table,
        *,
        per_user: int | None,
        window_seconds: int = 60,
        per_day: int | None,
    ) -> None:
        self.table = table
        self.per_user = per_user
        self.window_seconds = window_seconds
        self.per_day = per_day

    async def check(self, context: Any) -> None:
        """Raise `OverQuota` when nothing is left. One request, one read unit a counter."""
        counters = self._counters(owner(context))
        if not counters:
            return
        rows = await self.table.get_many([counter.key for counter in counters])
        for counter, row in zip(counters, rows, strict=True):
            if _used(row) >= counter.limit:
                raise counter.over()

    async def spend(self, context: Any) -> None:
        """Count one message, or raise `OverQuota` when it would be one too many.

        One atomic write a counter, in parallel. When one of the two refuses, the
        other has counted all the same; `check` first keeps that rare. Never part of a
        transaction: the day's counter is one row for everybody, on which those would conflict.
        """
        counters = self._counters(owner(context))
        refused = await aws.together(*(self._add(counter) for counter in counters))
        for counter, no in zip(counters, refused, strict=True):
            if no:
                raise counter.over()

    async def _add(self, counter: _Counter) -> bool:
        try:
            await self.table.update(
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
            return True
        return False

    def _counters(self, user: str) -> list[_Counter]:
        now = time.time()
        counters = []
        if self.per_user is not None:
            start = int(now // self.window_seconds) * self.window_seconds
            counters.append(
                _Counter(
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
                    keys.key("Q", f"DAY#{today.isoformat()}"),
                    self.per_day,
                    tomorrow.timestamp(),
                    "The limit of messages for today is reached. Please come back tomorrow.",
                )
            )
        return counters


def _used(row: Row | None) -> int:
    return int(row["used"]["N"]) if row and "used" in row else 0
