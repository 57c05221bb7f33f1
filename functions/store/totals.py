"""Totals: what happened on each day (UTC), counted as records of the table's stream arrive.

Lambda delivers a record of the stream at least once, perhaps twice at a time, and a failed one
after its successors. Each record is counted once all the same: one transaction adds its numbers and
writes a mark for it, on the condition that there is no such mark. The marks outlast the stream,
which keeps a record for 24 hours:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html

A row's attributes are numbers, whose names are constants here. Those of a day count its people, its
messages and the thumbs given on it. Those of a model count its answers, tokens, microdollars and
times until the first token, and outcomes, errors and calls of tools by name.

Additions come to the same in any order. A question that needs a look, which is removed with what
it was made from, leaves a tombstone in its place, so that it is not written afterwards.

All rows of a month are one partition, which takes 1,000 write units a second, and stays in one
piece because the table has a local index. A transaction takes two units for each kilobyte of a row:
2 for the day, 2 to 4 for a model. So some 150 transactions a second fit. In batches of ten records,
as Lambda gives them when it is busy, these are 1,500 answers a second; 1,000 environments of the
streaming function give some 180. Marks have partitions of their own.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ..aws.keys import digest, part
from . import keys
from .expiry import DAY
from .keys import Key
from .table import ConditionFailed, Row, Table

KEPT_SECONDS: Final = 3 * DAY
"""Seconds that marks and tombstones are kept. A person's mark is needed for the rest of the day,
and as long as a record of that day may be delivered: 48 hours, and 6 hours of attempts."""

QUESTION_SECONDS: Final = 90 * DAY
"""Seconds that a question is kept, unless what it was made from is removed before."""

AT_ONCE: Final = 16
"""Changes in one transaction: six actions each at most, of the 100 that DynamoDB takes."""

DAY_ROW: Final = "DAY"
MODEL_ROW: Final = "MODEL"
QUESTION: Final = "QUESTION#"
"""Sorts after all rows of days, so neither is read with the other."""

PEOPLE: Final = "people"
MESSAGES: Final = "messages"
FEEDBACK: Final = "feedback:"
ANSWERS: Final = "answers"
INPUT: Final = "input"
OUTPUT: Final = "output"
CACHED: Final = "cached"
MICRODOLLARS: Final = "microdollars"
FIRST_TOKEN: Final = "first:"  # noqa: S105 - the beginning of a name
OUTCOME: Final = "outcome:"
ERROR: Final = "error:"
CALLS: Final = "calls:"
FAILED: Final = "failed:"
"""With a colon, it is what the names of several numbers begin with."""


@dataclass(frozen=True)
class Place:
    """A row of totals: that of a day (`2026-11-26`), or of a model on that day."""

    day: str
    provider: str = ""
    model: str = ""

    @property
    def key(self) -> Key:
        names = (MODEL_ROW, part(self.provider), part(self.model)) if self.model else (DAY_ROW,)
        return keys.key(keys.totals_partition(self.day[:7]), "#".join((self.day, *names)))


@dataclass(frozen=True)
class Person:
    """Somebody who is one of a day's people. `name` is a digest."""

    day: str
    name: str

    @property
    def key(self) -> Key:
        return keys.counted_key(digest(f"{self.day} {self.name}"))


@dataclass(frozen=True)
class Question:
    """A question that needs a look. `source` is the key of the row that it was made from.

    `at` is a time as `keys.stamp` writes it. With the source it makes the question's own key.
    """

    source: Key
    at: str
    why: str = ""
    thread: str = ""
    item: str = ""
    text: str | None = None

    @property
    def key(self) -> Key:
        source = digest(f"{self.source['pk']['S']}\n{self.source['sk']['S']}")
        return keys.key(keys.totals_partition(self.at[:7]), f"{QUESTION}{self.at}#{source}")

    @property
    def row(self) -> Row:
        told = {"at": self.at, "why": self.why, "thread": self.thread, "item": self.item}
        if self.text is not None:
            told["text"] = self.text
        return {
            **self.key,
            **{name: {"S": value} for name, value in told.items()},
            **_expires(QUESTION_SECONDS),
        }


@dataclass(frozen=True)
class Change:
    """What one record of the stream changes in the totals. `record` is its globally unique id."""

    record: str
    adds: Mapping[Place, Mapping[str, int]] = field(default_factory=dict)
    person: Person | None = None
    asked: Question | None = None
    gone: Question | None = None

    @property
    def key(self) -> Key:
        return keys.counted_key(part(self.record))


class Totals:
    """Counts changes. `table` is reached by the process's own rights, because totals are nobody's.

    `functions.store.report` reads what was counted.
    """

    def __init__(self, table: Table) -> None:
        self.table = table

    async def count(self, changes: Sequence[Change]) -> None:
        """Count up to `AT_ONCE` changes, each exactly once, however often they are given.

        A read of the marks, and a transaction. Both are repeated when another caller has written
        one of the marks meanwhile. When it raises, either all was counted or nothing.
        """
        pending = {change.record: change for change in changes}
        for _ in range(3 * len(changes) + 1):  # a change has three marks, and each fails once
            marks = await self._marks(pending.values())
            for record in [r for r, change in pending.items() if _name(change.key) in marks]:
                del pending[record]
            if not pending:
                return
            try:
                await self.table.transact(_actions(pending.values(), marks))
            except ConditionFailed:
                continue
            return
        raise TimeoutError("the marks of the totals keep changing")

    async def _marks(self, changes: Iterable[Change]) -> set[str]:
        """The marks, questions and tombstones that are there already."""
        wanted = {
            _name(each.key): each.key
            for change in changes
            for each in (change, change.person, change.asked)
            if each is not None
        }
        rows = await self.table.get_many(list(wanted.values()))
        return {name for name, row in zip(wanted, rows, strict=True) if row is not None}


def _actions(changes: Iterable[Change], marks: set[str]) -> list[dict[str, Any]]:
    """The actions of a transaction that counts changes which no mark names."""
    until = _expires(KEPT_SECONDS)
    adds: dict[Place, Counter[str]] = defaultdict(Counter)
    new: dict[str, Row] = {}
    tombstones: dict[str, Row] = {}
    for change in changes:
        for place, numbers in change.adds.items():
            adds[place].update(numbers)
        new[_name(change.key)] = change.key | until
        person, asked = change.person, change.asked
        if person is not None and _name(person.key) not in marks | new.keys():
            new[_name(person.key)] = person.key | until
            adds[Place(person.day)][PEOPLE] += 1
        if asked is not None and _name(asked.key) not in marks:
            new[_name(asked.key)] = asked.row
        if change.gone is not None:
            tombstones[_name(change.gone.key)] = change.gone.key | until
    put = [
        {"Put": {"Item": row, "ConditionExpression": "attribute_not_exists(pk)"}}
        for name, row in new.items()
        if name not in tombstones
    ]
    replaced = [{"Put": {"Item": row}} for row in tombstones.values()]
    return [
        *(_add(place, adds[place]) for place in adds if any(adds[place].values())),
        *put,
        *replaced,
    ]


def _add(place: Place, numbers: Mapping[str, int]) -> dict[str, Any]:
    """The update that adds numbers to a row, and makes it when it is not there.

    The names are placeholders, because they hold names of tools and errors.
    """
    added = {name: amount for name, amount in numbers.items() if amount}
    expression = "ADD " + ", ".join(f"#{i} :{i}" for i in range(len(added)))
    values = {f":{i}": {"N": str(amount)} for i, amount in enumerate(added.values())}
    names = {f"#{i}": name for i, name in enumerate(added)}
    if place.model:
        expression += " SET #provider = :provider, #model = :model"
        names |= {"#provider": "provider", "#model": "model"}
        values |= {":provider": {"S": place.provider}, ":model": {"S": place.model}}
    return {
        "Update": {
            "Key": place.key,
            "UpdateExpression": expression,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
    }


def _expires(seconds: int) -> Row:
    return {"expires": {"N": str(int(time.time()) + seconds)}}


def _name(key: Key) -> str:
    return f"{key['pk']['S']} {key['sk']['S']}"
