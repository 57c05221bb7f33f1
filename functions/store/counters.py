"""A row of counters: what somebody has used, counted in one conditional write.

The row's attributes are numbers:

| attribute | number |
| --- | --- |
| `<measure>:<end>` | what was used in the window that ends then (Unix seconds; 0: it never ends) |
| `<measure>:<end>:<until>` | the part of it that is held for answers which end before `until` |
| `allowed_<measure>:<end>` | what `allow` has taken from the first, so that more can pass |

Numbers of a minute (`…_per_minute`) have no holds, because the minute ends before the answer.

What an answer may use at most is counted and held before it begins, and corrected when it has
ended. When the function crashes in between, the hold stays in the row. It is given back when its
time has passed: by the next request that would otherwise be refused.

A condition of DynamoDB sees one row, so everything that one scope counts is in one row: then a
write counts all of it, or nothing when one limit is reached. `ADD` is not idempotent, so a write
that botocore repeats after a lost answer may count twice.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .expiry import DAY
from .keys import Key
from .table import ConditionFailed, Row, Table

Numbers = dict[str, int]

KEPT_SECONDS: Final = 2 * DAY
"""Seconds that a row is kept after its last use."""

HOLD_SECONDS: Final = 900
"""Holds end at multiples of this, so that a row has few of them."""

LATE_SECONDS: Final = 60
"""Seconds after which a hold is given back, because clocks differ."""

OLD_SECONDS: Final = 120
"""Seconds after the end of its window, or of its hold, that a number is kept."""

TIDY_FROM: Final = 8
"""Old numbers that a row may have before they are removed."""

TIDY_AT_ONCE: Final = 50
"""Attributes that one write removes: an expression has 4 KB at most."""


@dataclass(frozen=True)
class Count:
    """An amount to add to a number in a row. Afterwards the number may be `limit` at most."""

    name: str
    """`<measure>:<end>`"""
    amount: int
    limit: int


class LimitReached(Exception):  # noqa: N818 - what happened, as callers name it
    """Nothing was added: `count` does not fit any more. `numbers` is the row."""

    def __init__(self, count: Count, numbers: Numbers) -> None:
        super().__init__(f"{count.name} has reached its limit")
        self.count = count
        self.numbers = numbers


@dataclass(frozen=True)
class Counters:
    """One row of counters."""

    table: Table
    key: Key

    async def read(self) -> Numbers:
        """The row's numbers, without the holds that are over. One read unit."""
        numbers = _numbers(await self.table.get(self.key) or {})
        return _without(numbers, _over(numbers))

    async def add(self, counts: Sequence[Count], *, until: float | None = None) -> Numbers:
        """Add all of `counts` or none, and return the row. One write.

        With `until` (Unix seconds) they are also held until then, for `settle`.

        Raises `LimitReached`. Only then there may be two more writes, which give back the holds
        that are over.
        """
        for count in counts:
            if count.amount > count.limit:
                raise LimitReached(count, {})
        try:
            return await self._add(counts, until)
        except ConditionFailed as failed:
            numbers = _numbers(failed.rows.get(0, {}))
        if not _over(numbers):
            raise _reached(counts, numbers)
        await self.tidy(numbers)
        try:
            return await self._add(counts, until)
        except ConditionFailed as failed:
            raise _reached(counts, _numbers(failed.rows.get(0, {}))) from None

    async def settle(
        self, counted: Mapping[str, int], used: Mapping[str, int], until: float | None
    ) -> None:
        """Count `used` in place of what `add` has `counted`, with the same `until`.

        One write. When a hold was given back by now, up to two more for each number.
        """
        update = _Update()
        for name, amount in counted.items():
            update.add(name, used.get(name, 0) - amount)
            if until is not None and _has_hold(name):
                update.add(_hold(name, until), -amount)
                update.require(_hold(name, until), ">=", amount)
        try:
            await update.write(self)
        except ConditionFailed:  # a hold was given back, because this comes so late
            for name in filter(_has_hold, counted):
                await self._settle_late(name, counted[name], used.get(name, 0), until)

    async def _settle_late(self, name: str, counted: int, used: int, until: float | None) -> None:
        """`settle` for one number, whose hold may be gone."""
        held = _Update()
        if until is not None:
            held.add(_hold(name, until), -counted)
            held.require(_hold(name, until), ">=", counted)
        held.add(name, used - counted)
        try:
            await held.write(self)
        except ConditionFailed:
            late = _Update()
            late.add(name, used)
            await late.write(self)

    async def allow(self, name: str, amount: int, numbers: Numbers) -> None:
        """Let `amount` more pass under `name` (`<measure>:<end>`) than its limit. One write.

        Raises `ConditionFailed` when more was allowed since `numbers` were read. So a write that
        botocore repeats after a lost answer counts once.
        """
        update = _Update()
        update.require_at_most(allowed_name(name), numbers.get(allowed_name(name), 0))
        update.add(name, -amount)
        update.add(allowed_name(name), amount)
        await update.write(self)

    async def tidy(self, numbers: Numbers) -> None:
        """Give back the holds that are over, and remove what no window needs.

        One write, which does nothing when somebody else has done it.
        """
        all_over = _over(numbers)
        over = dict(list(all_over.items())[:TIDY_AT_ONCE])
        old = [name for name in numbers if _is_old(name) and name not in all_over]
        old = old[: TIDY_AT_ONCE - len(over)]
        update = _Update()
        given_back: Numbers = {}
        for name, amount in over.items():
            update.require(name, "=", amount)
            update.remove(name)
            if (count := _count_of(name)) not in old:
                given_back[count] = given_back.get(count, 0) + amount
        for count, amount in given_back.items():
            update.add(count, -amount)
        for name in old:
            update.remove(name)
        try:
            await update.write(self)
        except ConditionFailed:
            return

    async def tidy_if_due(self, numbers: Numbers) -> None:
        """`tidy` when there is much to remove."""
        if len([name for name in numbers if _is_old(name)]) > TIDY_FROM:
            await self.tidy(numbers)

    async def _add(self, counts: Sequence[Count], until: float | None) -> Numbers:
        update = _Update()
        for count in counts:
            update.require_at_most(count.name, count.limit - count.amount)
            update.add(count.name, count.amount)
            if until is not None and _has_hold(count.name):
                update.add(_hold(count.name, until), count.amount)
        return await update.write(self)


def window_end(seconds: int, now: float) -> int:
    """The end of the window of this length (0: it never ends) that `now` is in."""
    return (int(now // seconds) + 1) * seconds if seconds else 0


def allowed_name(name: str) -> str:
    """The name of the number that says how much was allowed on top of a count's limit."""
    return f"allowed_{name}"


def held(numbers: Numbers, name: str) -> int:
    """The part of a count that is held for answers which have not ended."""
    over = _over(numbers)
    return sum(
        amount for hold, amount in numbers.items() if _count_of(hold) == name and hold not in over
    )


class _Update:
    """One `UpdateItem`. Attributes have colons in their names, so it uses placeholders."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        self._adds: list[str] = []
        self._removes: list[str] = []
        self._conditions: list[str] = []

    def add(self, name: str, amount: int) -> None:
        if amount:
            self._adds.append(f"{self._name(name)} {self._value(amount)}")

    def remove(self, name: str) -> None:
        self._removes.append(self._name(name))

    def require(self, name: str, comparison: str, amount: int) -> None:
        self._conditions.append(f"{self._name(name)} {comparison} {self._value(amount)}")

    def require_at_most(self, name: str, amount: int) -> None:
        placeholder = self._name(name)
        self._conditions.append(
            f"(attribute_not_exists({placeholder}) OR {placeholder} <= {self._value(amount)})"
        )

    async def write(self, counters: Counters) -> Numbers:
        """The row after the write. Raises `ConditionFailed`."""
        if not (self._adds or self._removes):
            return {}
        expires = self._value(int(time.time()) + KEPT_SECONDS)
        clauses = [f"SET expires = {expires}"]
        if self._adds:
            clauses.append(f"ADD {', '.join(self._adds)}")
        if self._removes:
            clauses.append(f"REMOVE {', '.join(self._removes)}")
        more = {"ConditionExpression": " AND ".join(self._conditions)} if self._conditions else {}
        row = await counters.table.update(
            counters.key,
            " ".join(clauses),
            ExpressionAttributeNames={short: name for name, short in self._names.items()},
            ExpressionAttributeValues=self._values,
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            **more,
        )
        return _numbers(row)

    def _name(self, name: str) -> str:
        return self._names.setdefault(name, f"#n{len(self._names)}")

    def _value(self, number: int) -> str:
        self._values[f":v{len(self._values)}"] = {"N": str(number)}
        return f":v{len(self._values) - 1}"


def _has_hold(name: str) -> bool:
    return "_per_minute:" not in name


def _hold(name: str, until: float) -> str:
    return f"{name}:{window_end(HOLD_SECONDS, until)}"


def _count_of(name: str) -> str:
    """The count that a hold is a part of."""
    return name.rpartition(":")[0]


def _numbers(row: Row) -> Numbers:
    return {name: int(value["N"]) for name, value in row.items() if ":" in name}


def _over(numbers: Numbers) -> Numbers:
    """The holds whose time has passed, of answers that have not settled theirs."""
    now = time.time()
    return {
        name: amount
        for name, amount in numbers.items()
        if amount > 0 and name.count(":") > 1 and int(name.split(":")[2]) + LATE_SECONDS < now
    }


def _is_old(name: str) -> bool:
    """Whether nothing counts with this number any more: its window, or its hold, is over.

    An answer that began before midnight settles the hold of yesterday's number, so only the end of
    the hold matters for that.
    """
    end = int(name.rsplit(":", maxsplit=1)[-1])
    return end != 0 and end + OLD_SECONDS < time.time()


def _without(numbers: Numbers, over: Numbers) -> Numbers:
    left = dict(numbers)
    for name, amount in over.items():
        if _count_of(name) in left:
            left[_count_of(name)] -= amount
    return left


def _reached(counts: Sequence[Count], numbers: Numbers) -> LimitReached:
    for count in counts:
        if numbers.get(count.name, 0) > count.limit - count.amount:
            return LimitReached(count, numbers)
    return LimitReached(counts[0], numbers)
