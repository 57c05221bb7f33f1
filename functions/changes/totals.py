"""Counts what the records of the table's stream tell: runs that have ended, and thumbs.

A thumb counts on the day on which it was given. When it is changed, its count moves; when it is
taken back, its count goes. A row that is removed is nobody's act: its thread was deleted, and the
count stays. Only the question that is listed with it goes then.
"""

import logging
from collections import Counter
from dataclasses import replace
from typing import Any, Final

from chatkit.store import NotFoundError
from chatkit.types import UserMessageItem

from ..aws import owner_sessions
from ..aws.keys import name_of
from ..context import RequestContext
from ..run_record import RunRecord
from ..store import DynamoDBStore, keys
from ..store.histogram import bucket
from ..store.table import Row
from ..store.totals import (
    ANSWERS,
    AT_ONCE,
    CACHED,
    CALLS,
    ERROR,
    FAILED,
    FEEDBACK,
    FIRST_TOKEN,
    INPUT,
    MESSAGES,
    MICRODOLLARS,
    OUTCOME,
    OUTPUT,
    Change,
    Person,
    Place,
    Question,
)
from ..store.totals import Totals as Counted
from ..telemetry import describe

logger = logging.getLogger(__name__)

Record = dict[str, Any]

ASKING: Final = frozenset({"threads.create", "threads.add_user_message"})
"""The requests that bring a message."""

THUMB_DOWN: Final = "thumb down"
NO_SOURCE: Final = "no source"

TEXT_CHARACTERS: Final = 300
"""What is kept of a question, where its text is kept at all."""

ITEMS_BEFORE: Final = 20
"""Items before an answer among which its question is looked for."""


class Totals:
    """Counts records of the stream in `counted`. With a `store`, it keeps the texts of questions.

    Rows of totals are nobody's. A question is read with the rights of whoever has asked it.
    """

    def __init__(self, counted: Counted, store: DynamoDBStore | None = None) -> None:
        self._counted = counted
        self._store = store

    async def take(self, records: list[Record]) -> list[str]:
        """Count records, each exactly once; returns the sequence numbers of those that failed.

        A record that cannot be read fails alone. A transaction that fails takes `AT_ONCE` records
        with it, and Lambda delivers them again.
        """
        failed: list[str] = []
        pending: list[tuple[str, Change]] = []
        for record in records:
            number = str(record["dynamodb"]["SequenceNumber"])
            try:
                change = await self._change(record)
            except Exception as error:  # noqa: BLE001 - the others are counted all the same
                _failed(1, error)
                failed.append(number)
            else:
                if change is not None:
                    pending.append((number, change))
        for first in range(0, len(pending), AT_ONCE):
            some = pending[first : first + AT_ONCE]
            try:
                await self._counted.count([change for _, change in some])
            except Exception as error:  # noqa: BLE001
                _failed(len(some), error)
                failed += [number for number, _ in some]
        return failed

    async def _change(self, record: Record) -> Change | None:
        """What a record changes in the totals; `None` for most of them."""
        change = record["dynamodb"]
        key = {name: change["Keys"][name] for name in ("pk", "sk")}
        sort = key["sk"]["S"]
        before, after = change.get("OldImage", {}), change.get("NewImage", {})
        match record["eventName"]:
            case "INSERT" if sort.startswith(keys.ENDED):
                return await self._ended(record["eventID"], key, _record_of(after))
            case "REMOVE" if sort.startswith(keys.ENDED):
                run = _record_of(before)
                gone = Question(key, run.at) if run.unsupported else None
            case "INSERT" | "MODIFY" if sort.startswith(keys.FEEDBACK):
                return await self._marked(record["eventID"], key, before, after)
            case "REMOVE" if sort.startswith(keys.FEEDBACK):
                gone = _disliked(key, before)
            case _:
                return None
        return Change(record["eventID"], gone=gone) if gone is not None else None

    async def _ended(self, name: str, key: keys.Key, run: RunRecord) -> Change:
        day = run.at[:10]
        asked = None
        if run.unsupported and run.message_id is not None:
            asked = Question(
                key,
                run.at,
                why=NO_SOURCE,
                thread=run.thread_id,
                item=run.message_id,
                text=await self._text(key, run.message_id),
            )
        adds: dict[Place, Counter[str]] = {}
        if run.model:  # not an action that no model answers
            adds[Place(day, run.provider, run.model)] = _of_model(run)
        if run.request in ASKING:
            adds[Place(day)] = Counter({MESSAGES: 1})
        return Change(name, adds, Person(day, run.owner), asked)

    async def _marked(self, name: str, key: keys.Key, before: Row, after: Row) -> Change | None:
        if before.get("kind") == after.get("kind") and before.get("at") == after.get("at"):
            return None
        adds: dict[Place, Counter[str]] = {}
        for row, amount in ((before, -1), (after, 1)):
            if "kind" in row:
                day = adds.setdefault(Place(row["at"]["S"][:10]), Counter())
                day[FEEDBACK + row["kind"]["S"]] += amount
        asked = _disliked(key, after)
        if asked is not None:
            asked = replace(asked, text=await self._text(key, asked.item))
        return Change(name, adds, asked=asked, gone=_disliked(key, before))

    async def _text(self, key: keys.Key, item_id: str) -> str | None:
        """The beginning of the question that is the item, or that came before it."""
        if self._store is None:
            return None
        partition = key["pk"]["S"]
        user, thread_id = name_of(keys.user_of(partition)), _thread_of(partition)
        if user is None:
            return None
        context = RequestContext(user_id=user)
        with owner_sessions.acting_for(keys.user_of(partition)):
            try:
                item = await self._store.load_item(thread_id, item_id, context)
                if isinstance(item, UserMessageItem):
                    return _said(item)
                earlier = await self._store.load_thread_items(
                    thread_id, item_id, ITEMS_BEFORE, "desc", context
                )
            except NotFoundError:  # deleted since then
                return None
        return next(
            (_said(each) for each in earlier.data if isinstance(each, UserMessageItem)), None
        )


def _of_model(run: RunRecord) -> Counter[str]:
    """What one run adds to the numbers of its model."""
    numbers = Counter(
        {
            ANSWERS: int(run.outcome != "failed"),
            INPUT: run.input_tokens,
            OUTPUT: run.output_tokens,
            CACHED: run.cached_tokens,
            MICRODOLLARS: run.microdollars,
            OUTCOME + run.outcome: 1,
        }
    )
    if run.error is not None:
        numbers[ERROR + run.error] += 1
    if run.first_token_ms is not None:
        numbers[f"{FIRST_TOKEN}{bucket(run.first_token_ms)}"] += 1
    for call in run.tools:
        numbers[CALLS + call.name] += 1
        numbers[FAILED + call.name] += int(call.outcome == "failed")
    return numbers


def _disliked(key: keys.Key, row: Row) -> Question | None:
    """The question of a row of feedback; `None` unless the row is a thumb down."""
    if row.get("kind", {}).get("S") != "negative":
        return None
    thread_id = _thread_of(key["pk"]["S"])
    return Question(key, row["at"]["S"], why=THUMB_DOWN, thread=thread_id, item=row["item"]["S"])


def _record_of(row: Row) -> RunRecord:
    return RunRecord.model_validate_json(row["body"]["S"])


def _said(message: UserMessageItem) -> str:
    return "".join(part.text for part in message.content)[:TEXT_CHARACTERS]


def _thread_of(partition: str) -> str:
    """The id of the thread that a partition belongs to."""
    encoded = partition.partition("#T#")[2]
    return name_of(encoded) or encoded


def _failed(number: int, error: Exception) -> None:
    logger.error("%d records were not counted: %s", number, describe(error))
