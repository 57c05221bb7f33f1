"""A reservation: what a request may use, counted for everybody whom it concerns.

It is counted before anything else is written, with one parallel write for each scope. When one of
them refuses, the others get back what they have counted. So what is refused costs nobody else.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from ..errors import PublicError
from ..store.counters import Count, Counters, LimitReached, Numbers, held
from ..telemetry import describe
from .measures import BUSY_SECONDS, MEASURES, MICRO, Measure, OverLimit, ScopeName, Use, Why

logger = logging.getLogger(__name__)

_THROTTLED: Final = frozenset(
    {"ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded"}
)

NOTICE_SHARE: Final = 0.8
"""A notice tells a person when they have used this share of a day's limit."""


@dataclass(frozen=True)
class Scope:
    """Somebody whose use is counted, and their limits in the units of `Use`.

    `rows` has one row of counters, or the stage's shards in the order in which they are tried.
    """

    name: ScopeName
    rows: Sequence[Counters]
    limits: Mapping[str, int]
    newcomer: bool = False
    """Whether these are the limits of newcomers, which leave a share to others."""


class Reservation:
    """What one request may use, until it is settled.

    With `until` (Unix seconds) it is held: when it is not settled, it is given back after that.
    """

    def __init__(self, scopes: Iterable[Scope], *, until: float | None) -> None:
        now = time.time()
        self._parts = [_Part(scope, now, until) for scope in scopes]

    async def add(self, use: Use) -> None:
        """Reserve `use`, too. Raises `OverLimit`, and then nothing of it is counted.

        One parallel write for each scope. After a refusal there is a second one.
        """
        adding = [asyncio.create_task(part.add(use)) for part in self._parts]
        if not adding:
            return
        try:
            await asyncio.wait(adding)
        except asyncio.CancelledError:
            await asyncio.wait(adding)  # Stop does not end the writes, so what they count is known
            await self._undo(adding, use)
            raise
        errors = [error for task in adding if (error := task.exception())]
        if errors:
            await self._undo(adding, use)
            raise errors[0]

    async def _undo(self, adding: Sequence[asyncio.Task[None]], use: Use) -> None:
        """Take back what was added, where nothing refused it."""
        parts = zip(self._parts, adding, strict=True)
        await _all(part.undo(use) for part, task in parts if task.exception() is None)

    async def settle(self, used: Use) -> None:
        """Count what was `used` in place of what was reserved. Its failure is logged, not raised:
        then the reservation is given back when its time has passed.
        """
        await _all(part.settle(used) for part in self._parts)

    async def give_back(self) -> None:
        """Count nothing: what was reserved was not used."""
        await self.settle(Use())

    def notice(self, used: Use) -> str | None:
        """What to tell a person whose use has reached `NOTICE_SHARE` of a limit of theirs by this
        request.
        """
        reached = [name for part in self._parts for name in part.reached(used)]
        if not reached:
            return None
        percent = f"{NOTICE_SHARE:.0%}"
        return f"You have used {percent} of what you can use today: {', '.join(reached)}."


@dataclass
class _Part:
    """What a reservation has counted in one scope."""

    scope: Scope
    now: float
    until: float | None
    row: Counters | None = None
    numbers: Numbers = field(default_factory=dict)
    counted: Numbers = field(default_factory=dict)

    async def add(self, use: Use) -> None:
        counts = self._counts(use)
        if not counts:
            return
        reached: LimitReached | None = None
        for row in self.scope.rows if self.row is None else [self.row]:
            try:
                self.numbers = await row.add(counts, until=self.until)
            except LimitReached as error:
                reached = error
                continue
            except ClientError as error:
                if error.response["Error"]["Code"] in _THROTTLED:
                    raise _busy() from error
                raise
            self.row = row
            for count in counts:
                self.counted[count.name] = self.counted.get(count.name, 0) + count.amount
            return
        if reached is not None:
            raise self._refusal(reached)

    def _refusal(self, reached: LimitReached) -> OverLimit:
        count = reached.count
        name, _, end = count.name.partition(":")
        others = held(reached.numbers, count.name) - self.counted.get(count.name, 0)
        used = reached.numbers.get(count.name, 0) - others
        why: Why = "used"
        if count.amount > count.limit:
            why = "too large"
        elif MEASURES[name].may_shrink and used + count.amount <= count.limit:
            why = "held"
        elif self.scope.newcomer and MEASURES[name].is_daily:
            why = "newcomers"
        return OverLimit(self.scope.name, MEASURES[name], int(end), why)

    async def undo(self, use: Use) -> None:
        """Take one `add` back."""
        counts = {count.name: count.amount for count in self._counts(use)}
        if self.row is not None and counts:
            for name, amount in counts.items():
                self.counted[name] -= amount
            await self.row.settle(counts, {}, self.until)

    async def settle(self, used: Use) -> None:
        if self.row is None:
            return
        counts = {count.name: count.amount for count in self._counts(used)}
        counted, self.counted = self.counted, {}
        if counted:
            await self.row.settle(counted, counts, self.until)
            await self.row.tidy_if_due(self.numbers)

    def reached(self, used: Use) -> list[str]:
        """The limits of a person's day whose `NOTICE_SHARE` this request has reached, in words."""
        if self.scope.name != "person":
            return []
        found = []
        for name, limit in self.scope.limits.items():
            measure, counter = MEASURES[name], self._name(MEASURES[name])
            if not measure.is_daily or counter not in self.numbers:
                continue
            before = self.numbers[counter] - held(self.numbers, counter)
            after = before + getattr(used, measure.of)
            if before < NOTICE_SHARE * limit <= after:
                found.append(_in_words(measure, after, limit))
        return found

    def _counts(self, use: Use) -> list[Count]:
        return [
            Count(self._name(MEASURES[name]), amount, limit)
            for name, limit in self.scope.limits.items()
            if (amount := getattr(use, MEASURES[name].of))
        ]

    def _name(self, measure: Measure) -> str:
        return f"{measure.name}:{measure.end(self.now)}"


def _in_words(measure: Measure, used: int, limit: int) -> str:
    match measure.of:
        case "microdollars":
            return f"${used / MICRO:.2f} of ${limit / MICRO:.2f}"
        case "upload_bytes":
            return f"{used / 1e6:,.0f} of {limit / 1e6:,.0f} MB"
        case "messages":
            return f"{used:,} of {limit:,} messages"
    return f"{used:,} of {limit:,} tokens"


def _busy() -> PublicError:
    """The refusal when DynamoDB throttles a row of counters: what cannot be counted is refused."""
    message = "Very many people are writing right now. Please try again in a moment."
    return PublicError(429, message, {"retry-after": str(BUSY_SECONDS)})


async def _all(writes: Iterable[Awaitable[None]]) -> None:
    """Make all writes in parallel, and log those that fail."""
    for result in await asyncio.gather(*writes, return_exceptions=True):
        if isinstance(result, ClientError | BotoCoreError):
            logger.warning("what was reserved could not be settled: %s", describe(result))
        elif isinstance(result, BaseException):
            raise result
