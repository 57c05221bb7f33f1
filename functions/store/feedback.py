"""Feedback: the items that a user liked or disliked. The last mark of an item counts. It can be
taken back: then its row has no kind, and TTL removes it a day later. So the table's stream tells
what a person did with their marks by what is written, and a row that is removed is nobody's act.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, get_args

from chatkit.store import NotFoundError
from chatkit.types import FeedbackKind

from .. import aws
from ..aws.keys import part
from . import keys
from .expiry import DAY, EXISTS, now_value
from .table import ConditionFailed, Row, Table
from .threads import Threads
from .validation import check_id

ITEMS_A_TRANSACTION: Final = 49
"""A transaction takes 100 actions: one for the thread and two for each item."""

TAKEN_BACK_SECONDS: Final = DAY
"""How long the row of a mark is kept that was taken back."""


@dataclass(frozen=True)
class Mark:
    """A user's opinion of an item, and when they gave it (ISO 8601, UTC)."""

    item_id: str
    kind: FeedbackKind
    at: str


def check_marks(item_ids: list[str], kind: FeedbackKind | None) -> list[str]:
    """The ids, each once. Raises `ValueError` when one, or the kind of feedback, is invalid."""
    if kind is not None and kind not in list(get_args(FeedbackKind)):
        raise ValueError(f"feedback is one of {get_args(FeedbackKind)}")
    if not isinstance(item_ids, list | tuple):
        raise ValueError(f"a list of ids, not {type(item_ids).__name__}")  # noqa: TRY004
    for item_id in item_ids:
        check_id(item_id)
    return list(dict.fromkeys(item_ids))


class Feedback:
    def __init__(self, table: Table, threads: Threads) -> None:
        self.table = table
        self.threads = threads

    async def save(
        self,
        thread_id: str,
        item_ids: list[str],
        kind: FeedbackKind | None,
        user: str,
        at: datetime,
    ) -> None:
        """Mark items, or with `None` take their marks back; up to 49 together or not at all.

        Raises `NotFoundError` when the thread or an item is unknown.
        """
        unique = check_marks(item_ids, kind)
        for i in range(0, len(unique), ITEMS_A_TRANSACTION):
            await self._save(thread_id, unique[i : i + ITEMS_A_TRANSACTION], kind, user, at)

    async def _save(
        self,
        thread_id: str,
        item_ids: list[str],
        kind: FeedbackKind | None,
        user: str,
        at: datetime,
    ) -> None:
        thread_exists = {
            "Key": keys.thread_key(user, thread_id),
            "ConditionExpression": EXISTS,
            "ExpressionAttributeValues": {":now": now_value()},
        }
        actions: list[dict[str, Any]] = [{"ConditionCheck": thread_exists}]
        for item_id in item_ids:
            item_exists = {
                "Key": keys.item_key(user, thread_id, item_id),
                "ConditionExpression": "attribute_exists(#position)",
                "ExpressionAttributeNames": {"#position": "position"},
            }
            write = {"Put": {"Item": self._row(thread_id, item_id, kind, user, at)}}
            actions += [{"ConditionCheck": item_exists}, write]
        try:
            await self.table.transact(actions)
        except ConditionFailed as failure:
            if 0 in failure.failed:
                raise NotFoundError(f"Thread {thread_id} not found") from None
            missing = item_ids[(min(failure.failed) - 1) // 2]
            raise NotFoundError(f"Item {missing} not found in thread {thread_id}") from None

    def _key(self, thread_id: str, item_id: str, user: str) -> Row:
        partition = keys.thread_partition(user, thread_id)
        return keys.key(partition, keys.FEEDBACK + part(item_id))

    def _row(
        self, thread_id: str, item_id: str, kind: FeedbackKind | None, user: str, at: datetime
    ) -> Row:
        return {
            **self._key(thread_id, item_id, user),
            "item": {"S": item_id},
            "at": {"S": keys.stamp(at)},
            **(
                {"expires": {"N": str(int(time.time()) + TAKEN_BACK_SECONDS)}}
                if kind is None
                else {"kind": {"S": kind}}
            ),
        }

    async def load(self, thread_id: str, user: str) -> list[Mark]:
        """All marks in a thread; empty for an unknown thread."""
        query = {
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :feedback)",
            "ExpressionAttributeValues": {
                ":pk": {"S": keys.thread_partition(user, thread_id)},
                ":feedback": {"S": keys.FEEDBACK},
            },
        }
        exists, rows = await aws.together(self.threads.exists(thread_id, user), self._rows(query))
        given = [row for row in rows if exists and "kind" in row]
        return [Mark(row["item"]["S"], row["kind"]["S"], row["at"]["S"]) for row in given]

    async def _rows(self, query: dict[str, Any]) -> list[Row]:
        return [row async for row in self.table.query(**query)]
