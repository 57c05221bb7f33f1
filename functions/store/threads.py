"""Threads: one row each, listed by last activity. Saving one writes the changed fields."""

import json
import logging
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from chatkit.store import NotFoundError
from chatkit.types import Page, Thread, ThreadMetadata
from pydantic import ValidationError

from . import keys
from .expiry import DAY, EXISTS, expired, now_value
from .expressions import set_attributes, set_paths
from .keys import Value
from .paging import bounds
from .snapshots import MAX_CHANGES, Change, Snapshot, Snapshots
from .table import ConditionFailed, Row, Table

logger = logging.getLogger(__name__)

TOMBSTONE_SECONDS: Final = DAY
"""How long a tombstone is kept: longer than any run, so that the purge after its expiry also
removes what a run wrote to S3 after the thread was deleted."""


class Threads:
    def __init__(self, table: Table, retention_days: int | None) -> None:
        self.table = table
        self.retention_seconds = retention_days and retention_days * DAY
        self._snapshots = Snapshots()

    def _expiry(self) -> dict[str, Value]:
        """The expiry of a thread whose last activity is now; empty without a retention.

        Only the thread's own row has one: TTL must not remove an item before its thread.
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
        # The snapshot is of `thread`, not of the row: a field that only a newer version knows is
        # then no change, and saving leaves it alone.
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
        """Write what changed. False when an earlier thread with this id has not been purged yet.

        Its items must not appear in the new thread.
        """
        snapshot = Snapshot.checked(thread)
        before = self._snapshots.find(thread, user)
        if before is None:
            tombstone, gone = keys.tombstone_key(user, thread.id), keys.gone_key(user, thread.id)
            try:
                await self.table.transact(
                    [*self.create(thread, user, {}), _absent(tombstone), _absent(gone)]
                )
            except ConditionFailed as failure:
                if isinstance(thread, Thread):
                    # The SDK saves a `Thread` at the end of an answer. A thread that was deleted
                    # meanwhile stays deleted, and a new title stays.
                    if 0 not in failure.failed:
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
        """Write a new thread with the id of a deleted one that has been purged.

        False when somebody else created the thread first, or it needs a purge again.
        """
        no_tombstone = {"Delete": {"Key": keys.tombstone_key(user, thread.id)}}
        purged = _absent(keys.gone_key(user, thread.id))
        try:
            await self.table.transact([*self.create(thread, user, {}), no_tombstone, purged])
        except ConditionFailed:
            return False
        self.remember(thread, user)
        return True

    def create(self, thread: ThreadMetadata, user: str, extra: Row) -> list[dict[str, Any]]:
        """The actions that create a thread with `extra` attributes, for a transaction.

        Call `remember` once it is written. The conditions fail when the thread exists, and when
        its head does: then TTL has removed the thread and the purge has not run yet.
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
        """Keep the snapshot of a thread that a transaction created."""
        self._snapshots.created(thread, user, Snapshot.of(thread))

    async def _replace(self, thread: ThreadMetadata, user: str, snapshot: Snapshot) -> bool:
        """Overwrite all fields of an existing thread; False when it is deleted or expired."""
        # This is no activity: the thread keeps its position and its expiry.
        kept = {
            "position": {"S": keys.position(keys.stamp(thread.created_at), thread.id)},
            **self._expiry(),
        }
        update = set_attributes({**kept, "id": {"S": thread.id}, **snapshot.attributes()}, *kept)
        update["ExpressionAttributeValues"][":now"] = now_value()
        row = {"Key": keys.thread_key(user, thread.id), "ConditionExpression": EXISTS, **update}
        head = self._head(thread, user, snapshot)
        try:
            await self.table.transact([{"Update": row}, {"Update": head}])
        except ConditionFailed:
            return False
        return True

    def _head(self, thread: ThreadMetadata, user: str, snapshot: Snapshot) -> dict[str, Any]:
        """The update that writes all fields to a thread's head, beside the write of its row."""
        attributes = {"position": {"S": keys.HEAD_POSITION}, **snapshot.attributes()}
        return {"Key": keys.head_key(user, thread.id), **set_attributes(attributes)}

    async def _change(self, thread_id: str, user: str, before: Snapshot, after: Snapshot) -> None:
        changes = before.changes(after)
        if not changes:
            return
        try:
            if len(changes) <= MAX_CHANGES:
                await self._update(thread_id, user, set_paths(changes))
            else:
                await self._rewrite(thread_id, user, changes)
        except ConditionFailed:
            raise NotFoundError(f"Thread {thread_id} not found") from None

    async def _rewrite(self, thread_id: str, user: str, changes: list[Change]) -> None:
        """Make more changes than one expression holds: read the thread, change it, write it back.

        The write has the condition that nobody changed the thread meanwhile; else it starts again.
        """
        while True:
            row = await self.table.get(keys.thread_key(user, thread_id))
            if row is None or expired(row):
                raise NotFoundError(f"Thread {thread_id} not found")
            stored = Snapshot.from_row(row)
            update = set_attributes(stored.changed(changes).attributes())
            same = "#fields = :old_fields AND #metadata = :old_metadata"
            old = {f":old_{name}": value for name, value in stored.attributes().items()}
            try:
                await self._update(thread_id, user, update, f"{EXISTS} AND {same}", old)
            except ConditionFailed as failure:
                if 1 in failure.failed:  # there is no head
                    raise
                continue  # this ends, because somebody else's write succeeded
            return

    async def name(self, thread: ThreadMetadata, title: str, user: str) -> None:
        """Give a thread a title if it has none. `thread.title` is then the stored title."""
        if not isinstance(title, str):
            raise ValueError(f"a title is text, not {type(title).__name__}")  # noqa: TRY004
        Snapshot.checked(thread)
        text = Snapshot.checked(thread.model_copy(update={"title": title})).fields["title"]
        update = set_paths([("fields", "title", text)])
        untitled = f"{EXISTS} AND #fields.#n0 = :untitled"
        try:
            await self._update(thread.id, user, update, untitled, {":untitled": {"S": "null"}})
        except ConditionFailed as failure:
            row = failure.rows.get(0)
            if row is None or expired(row):
                raise NotFoundError(f"Thread {thread.id} not found") from None
            text = Snapshot.from_row(row).fields["title"]  # somebody else gave it a title first
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
        """Update a thread's row on `condition`, and its head, in one transaction.

        `compared` are the values in the condition. `ConditionFailed.rows[0]` is the thread's row.
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
            "ConditionExpression": "attribute_exists(pk)",  # the update needs the row's maps
        }
        if not values:
            del head["ExpressionAttributeValues"]
        await self.table.transact([{"Update": row}, {"Update": head}])

    def touch(
        self, thread_id: str, user: str, moment: datetime, extra: dict[str, Value] | None = None
    ) -> dict[str, Any]:
        """The update that moves an existing thread to the top of the list, for a transaction.

        It also sets the attributes in `extra`. A `moment` in the past counts as now, so that an
        imported message does not move its thread down.
        """
        latest = max(keys.stamp(moment), keys.stamp(datetime.now(UTC)))
        attributes = {
            "position": {"S": keys.position(latest, thread_id)},
            **self._expiry(),
            **(extra or {}),
        }
        sets = ", ".join(f"#{name} = :{name}" for name in attributes)
        # After the retention was turned off, a thread loses its expiry at its next activity.
        no_expiry = "" if "expires" in attributes else " REMOVE expires"
        return {
            "Key": keys.thread_key(user, thread_id),
            "UpdateExpression": f"SET {sets}{no_expiry}",
            "ConditionExpression": EXISTS,
            "ExpressionAttributeNames": {f"#{name}": name for name in attributes},
            "ExpressionAttributeValues": {
                ":now": now_value(),
                **{f":{name}": value for name, value in attributes.items()},
            },
        }

    async def delete(self, thread_id: str, user: str) -> None:
        """Delete a thread; an unknown one is fine. See `_delete_with_tombstone`."""
        await self._delete_with_tombstone(thread_id, user, "attribute_exists(pk)", {})

    async def delete_expired(self, thread_id: str, user: str) -> None:
        """Delete a thread if it has expired and TTL has not removed it yet."""
        values = {":now": now_value()}
        await self._delete_with_tombstone(thread_id, user, "expires <= :now", values)

    async def _delete_with_tombstone(
        self, thread_id: str, user: str, condition: str, values: dict[str, Value]
    ) -> None:
        """Remove a thread's row and head, and write a tombstone and a `GONE#` row, atomically.

        Nothing is written when `condition` does not hold.
        """
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
        with suppress(ConditionFailed):
            await self.table.transact(
                [
                    {"Delete": row},
                    {"Delete": {"Key": keys.head_key(user, thread_id)}},
                    {"Put": {"Item": tombstone}},
                    {"Put": {"Item": gone}},
                ]
            )

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
        position = keys.read_cursor(after)
        if position is not None:
            return position
        row = await self.table.get(
            keys.thread_key(user, after),
            ProjectionExpression="#position",
            ExpressionAttributeNames={"#position": "position"},
        )
        if row is not None:
            return str(row["position"]["S"])
        if not after:  # an empty cursor means the first page, as in the SDK's own stores
            return None
        raise NotFoundError(f"Thread {after} not found")

    def _listed(self, row: Row, user: str) -> ThreadMetadata | None:
        try:
            return self.read(row, user, row["id"]["S"])
        except NotFoundError:
            return None


def _absent(key: keys.Key) -> dict[str, Any]:
    """The check that there is no row with this key, for a transaction."""
    return {"ConditionCheck": {"Key": key, "ConditionExpression": "attribute_not_exists(pk)"}}


def _warn(thread_id: str, error: ValidationError) -> None:
    logger.warning(
        "a thread was skipped: this version cannot read it",
        extra={"thread_id": thread_id, "errors": error.error_count()},
    )
