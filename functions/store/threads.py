"""Threads: one row each, listed by last activity, changed field by field."""

import json
import logging
import time
from datetime import UTC, datetime
from typing import Any, Final

from chatkit.store import NotFoundError
from chatkit.types import Page, Thread, ThreadMetadata
from pydantic import ValidationError

from . import keys
from .keys import Value
from .paging import bounds
from .snapshots import (
    MAX_CHANGES,
    Change,
    Snapshot,
    Snapshots,
    by_path,
)
from .table import ConditionFailed, Row, Table

logger = logging.getLogger(__name__)

DAY: Final = 24 * 3600
TOMBSTONE_SECONDS: Final = DAY
"""How long a deleted thread is remembered: longer than any run, so that what a run still wrote
to S3 is purged once more when the tombstone goes."""

ALIVE: Final = "(attribute_not_exists(expires) OR expires > :now)"
EXISTS: Final = f"attribute_exists(pk) AND {ALIVE}"
"""The condition of every write that a deleted or expired thread must not survive."""


def now_value() -> Value:
    return {"N": str(int(time.time()))}


def expired(row: Row) -> bool:
    """TTL removes rows within days, not at once, so reads look for themselves."""
    return "expires" in row and int(row["expires"]["N"]) <= time.time()


class Threads:
    def __init__(self, table: Table, retention_days: int | None) -> None:
        self.table = table
        self.retention_seconds = retention_days and retention_days * DAY
        self._snapshots = Snapshots()

    def _expiry(self) -> dict[str, Value]:
        """When a thread goes whose last activity is now; empty without a retention.

        Only its own row says so: what lies below it goes with it, never before it.
        """
        if not self.retention_seconds:
            return {}
        return {"expires": {"N": str(int(time.time()) + self.retention_seconds)}}

    def read(self, row: Row | None, user: str, thread_id: str) -> ThreadMetadata:
        if row is None or expired(row):
            raise NotFoundError(f"Thread {thread_id} not found")
        try:
            thread = Snapshot.from_row(row).thread()
        except ValidationError as error:
            _warn(thread_id, error)
            raise NotFoundError(f"Thread {thread_id} cannot be read") from None
        # What a newer version stored and this one has no field for is not a change.
        self._snapshots.keep(thread, user, Snapshot.of(thread))
        return thread

    async def load(self, thread_id: str, user: str) -> ThreadMetadata:
        return self.read(await self.table.get(keys.thread_key(user, thread_id)), user, thread_id)

    async def exists(self, thread_id: str, user: str) -> bool:
        row = await self.table.get(
            keys.thread_key(user, thread_id), ProjectionExpression="pk, expires"
        )
        return row is not None and not expired(row)

    async def save(self, thread: ThreadMetadata, user: str) -> bool:
        """Write what changed. False when a thread of this id was deleted, or has expired, and
        awaits its purge: nothing of it may come back with the id.
        """
        snapshot = Snapshot.checked(thread)
        before = self._snapshots.find(thread, user)
        if before is None:
            tombstone, gone = keys.tombstone_key(user, thread.id), keys.gone_key(user, thread.id)
            try:
                await self.table.transact(
                    [*self.create(thread, user, {}), _no(tombstone), _no(gone)]
                )
            except ConditionFailed as refused:
                if isinstance(thread, Thread):
                    # An answer's end, most likely: what was deleted meanwhile stays so, and so
                    # does a new title.
                    if 0 not in refused.failed:
                        raise NotFoundError(f"Thread {thread.id} not found") from None
                    before = Snapshot.blank(thread)
                elif not await self._replace(thread, user, snapshot):
                    return False
        if before is None:
            self._snapshots.created(thread, user, snapshot)
        else:
            await self._change(thread.id, user, before, snapshot)
            self._snapshots.keep(thread, user, snapshot)
        return True

    async def revive(self, thread: ThreadMetadata, user: str) -> bool:
        """Write a new thread under the id of a deleted one whose remains are purged; False when
        there is one by now, or again something to purge.
        """
        unburied = {"Delete": {"Key": keys.tombstone_key(user, thread.id)}}
        pending = _no(keys.gone_key(user, thread.id))
        try:
            await self.table.transact([*self.create(thread, user, {}), unburied, pending])
        except ConditionFailed:
            return False
        self.remember(thread, user)
        return True

    def create(self, thread: ThreadMetadata, user: str, extra: Row) -> list[dict[str, Any]]:
        """What writes a thread that must not exist yet, with `extra` attributes; part of a
        transaction. `remember` it once it is written.

        ConditionFailed also while there is a head: TTL took its thread, and no purge has come yet.
        """
        snapshot = Snapshot.checked(thread)
        row = {
            **keys.thread_key(user, thread.id),
            "id": {"S": thread.id},
            "position": {"S": keys.position(keys.stamp(thread.created_at), thread.id)},
            **snapshot.attributes(),
            **self._expiry(),
            **extra,
        }
        new = {"Put": {"Item": row, "ConditionExpression": "attribute_not_exists(pk)"}}
        head = self._head(thread, user, snapshot)
        return [new, {"Update": {**head, "ConditionExpression": "attribute_not_exists(pk)"}}]

    def remember(self, thread: ThreadMetadata, user: str) -> None:
        self._snapshots.created(thread, user, Snapshot.of(thread))

    async def _replace(self, thread: ThreadMetadata, user: str, snapshot: Snapshot) -> bool:
        """Write a thread that exists whole; False when it is gone, or its time is over."""
        # This is no activity: it keeps its place and its time.
        kept = {
            "position": {"S": keys.position(keys.stamp(thread.created_at), thread.id)},
            **self._expiry(),
        }
        update = _setting({**kept, "id": {"S": thread.id}, **snapshot.attributes()}, *kept)
        update["ExpressionAttributeValues"][":now"] = now_value()
        row = {"Key": keys.thread_key(user, thread.id), "ConditionExpression": EXISTS, **update}
        head = self._head(thread, user, snapshot)
        try:
            await self.table.transact([{"Update": row}, {"Update": head}])
        except ConditionFailed:
            return False
        return True

    def _head(self, thread: ThreadMetadata, user: str, snapshot: Snapshot) -> dict[str, Any]:
        """The update that writes a thread's head whole; part of what writes its row."""
        attributes = {"position": {"S": keys.HEAD_POSITION}, **snapshot.attributes()}
        return {"Key": keys.head_key(user, thread.id), **_setting(attributes)}

    async def _change(self, thread_id: str, user: str, before: Snapshot, after: Snapshot) -> None:
        changes = before.changes(after)
        if not changes:
            return
        try:
            if len(changes) <= MAX_CHANGES:
                await self._update(thread_id, user, by_path(changes))
            else:
                await self._rewrite(thread_id, user, changes)
        except ConditionFailed:
            raise NotFoundError(f"Thread {thread_id} not found") from None

    async def _rewrite(self, thread_id: str, user: str, changes: list[Change]) -> None:
        """Make more changes than an expression holds, in what is stored while they are made."""
        while True:
            row = await self.table.get(keys.thread_key(user, thread_id))
            if row is None or expired(row):
                raise NotFoundError(f"Thread {thread_id} not found")
            stored = Snapshot.from_row(row)
            update = _setting(stored.changed(changes).attributes())
            same = "#fields = :old_fields AND #metadata = :old_metadata"
            old = {f":old_{name}": value for name, value in stored.attributes().items()}
            try:
                await self._update(thread_id, user, update, f"{EXISTS} AND {same}", old)
            except ConditionFailed as refused:
                if 1 in refused.failed:  # there is no head
                    raise
                continue  # each refusal is another's success
            return

    async def name(self, thread: ThreadMetadata, title: str, user: str) -> None:
        """Give a thread a title if it has none; `thread` has then the one that is stored."""
        if not isinstance(title, str):
            raise ValueError(f"a title is text, not {type(title).__name__}")  # noqa: TRY004
        Snapshot.checked(thread)
        text = Snapshot.checked(thread.model_copy(update={"title": title})).fields["title"]
        update = by_path([("fields", "title", text)])
        untitled = f"{EXISTS} AND #fields.#n0 = :untitled"
        try:
            await self._update(thread.id, user, update, untitled, {":untitled": {"S": "null"}})
        except ConditionFailed as refused:
            row = refused.rows.get(0)
            if row is None or expired(row):
                raise NotFoundError(f"Thread {thread.id} not found") from None
            text = Snapshot.from_row(row).fields["title"]  # somebody was first
        before = self._snapshots.find(thread, user) or Snapshot.blank(thread)
        thread.title = json.loads(text)
        self._snapshots.keep(thread, user, before.changed([("fields", "title", text)]))

    async def _update(
        self,
        thread_id: str,
        user: str,
        update: dict[str, Any],
        condition: str = EXISTS,
        compared: dict[str, Value] | None = None,
    ) -> None:
        """Update the row on a condition, with the values that it compares, and with it the head.
        A refusal names the row that it met.
        """
        values = update["ExpressionAttributeValues"]
        row = {
            **update,
            "Key": keys.thread_key(user, thread_id),
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {":now": now_value(), **values, **(compared or {})},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        head = {
            **update,
            "Key": keys.head_key(user, thread_id),
            "ConditionExpression": "attribute_exists(pk)",  # else the update itself is invalid
        }
        if not values:
            del head["ExpressionAttributeValues"]
        await self.table.transact([{"Update": row}, {"Update": head}])

    def touch(
        self, thread_id: str, user: str, moment: datetime, extra: dict[str, Value] | None = None
    ) -> dict[str, Any]:
        """The update that puts an existing thread at the top of the list; part of a transaction.

        A moment in the past counts as now, so that an imported message does not
        sink its thread. `extra` attributes are set along with it.
        """
        latest = max(keys.stamp(moment), keys.stamp(datetime.now(UTC)))
        attributes = {
            "position": {"S": keys.position(latest, thread_id)},
            **self._expiry(),
            **(extra or {}),
        }
        sets = ", ".join(f"#{name} = :{name}" for name in attributes)
        # A retention that was turned off ends with the next activity.
        forever = "" if "expires" in attributes else " REMOVE expires"
        return {
            "Key": keys.thread_key(user, thread_id),
            "UpdateExpression": f"SET {sets}{forever}",
            "ConditionExpression": EXISTS,
            "ExpressionAttributeNames": {f"#{name}": name for name in attributes},
            "ExpressionAttributeValues": {
                ":now": now_value(),
                **{f":{name}": value for name, value in attributes.items()},
            },
        }

    async def delete(self, thread_id: str, user: str) -> bool:
        """Remove the row, leave a tombstone and note that a purge is due, atomically; False when
        there was no such thread.
        """
        return await self._delete_with_tombstone(thread_id, user, "attribute_exists(pk)", {})

    async def delete_expired(self, thread_id: str, user: str) -> bool:
        """Delete a thread whose time is over, if it is still there."""
        return await self._delete_with_tombstone(
            thread_id, user, "expires <= :now", {":now": now_value()}
        )

    async def _delete_with_tombstone(
        self, thread_id: str, user: str, condition: str, values: dict[str, Value]
    ) -> bool:
        tombstone = {
            **keys.tombstone_key(user, thread_id),
            "expires": {"N": str(int(time.time()) + TOMBSTONE_SECONDS)},
        }
        gone = {
            **keys.gone_key(user, thread_id),
            "at": {"S": keys.stamp(datetime.now(UTC))},
        }
        row: dict[str, Any] = {
            "Key": keys.thread_key(user, thread_id),
            "ConditionExpression": condition,
            **({"ExpressionAttributeValues": values} if values else {}),
        }
        try:
            await self.table.transact(
                [
                    {"Delete": row},
                    {"Delete": {"Key": keys.head_key(user, thread_id)}},
                    {"Put": {"Item": tombstone}},
                    {"Put": {"Item": gone}},
                ]
            )
        except ConditionFailed:
            return False
        return True

    async def page(
        self, limit: int, after: str | None, order: str, user: str
    ) -> Page[ThreadMetadata]:
        start = None if after is None else await self._start(after, user)
        query = bounds(keys.user_partition(user), order, start, limit)
        threads: list[ThreadMetadata] = []
        cursor: str | None = None
        async for row in self.table.query(**query):
            thread = self._listed(row, user)
            if thread is None:
                continue
            if len(threads) == limit:
                return Page(data=threads, has_more=True, after=cursor)
            threads.append(thread)
            cursor = keys.cursor(row["position"]["S"], thread.id)
        return Page(data=threads)

    async def _start(self, after: str, user: str) -> str | None:
        carried = keys.read_cursor(after)
        if carried is not None:
            return carried
        row = await self.table.get(
            keys.thread_key(user, after),
            ProjectionExpression="#position",
            ExpressionAttributeNames={"#position": "position"},
        )
        if row is not None:
            return str(row["position"]["S"])
        if not after:  # to the reference stores, an empty cursor is none
            return None
        raise NotFoundError(f"Thread {after} not found")

    def _listed(self, row: Row, user: str) -> ThreadMetadata | None:
        try:
            return self.read(row, user, row["id"]["S"])
        except NotFoundError:
            return None


def _no(key: keys.Key) -> dict[str, Any]:
    """The check that there is no such row; part of a transaction."""
    return {"ConditionCheck": {"Key": key, "ConditionExpression": "attribute_not_exists(pk)"}}


def _setting(attributes: Row, *kept: str) -> dict[str, Any]:
    """The update that writes `attributes`, those that are `kept` only where there is none yet."""
    sets = [
        f"#{name} = " + (f"if_not_exists(#{name}, :{name})" if name in kept else f":{name}")
        for name in attributes
    ]
    return {
        "UpdateExpression": f"SET {', '.join(sets)}",
        "ExpressionAttributeNames": {f"#{name}": name for name in attributes},
        "ExpressionAttributeValues": {f":{name}": value for name, value in attributes.items()},
    }


def _warn(thread_id: str, error: ValidationError) -> None:
    logger.warning(
        "thread skipped: this version cannot read it",
        extra={"thread_id": thread_id, "errors": error.error_count()},
    )
