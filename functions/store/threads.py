"""Threads: one row each, listed by last activity, changed field by field."""

import logging
import time
from datetime import UTC, datetime
from typing import Any, Final

from chatkit.store import NotFoundError
from chatkit.types import Page, ThreadMetadata
from pydantic import ValidationError

from functions.store import keys
from functions.store.keys import Value
from functions.store.paging import bounds
from functions.store.snapshots import Snapshot, Snapshots
from functions.store.table import Refused, Row, Table

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
        return await self.part_exists(keys.part(thread_id), user)

    async def part_exists(self, part: str, user: str) -> bool:
        """The same, for a thread that is known by its key part."""
        row = await self.table.get(
            keys.key(keys.user_partition(user), keys.THREAD + part),
            ProjectionExpression="pk, expires",
        )
        return row is not None and not expired(row)

    async def save(self, thread: ThreadMetadata, user: str) -> bool:
        """Write what changed. False when a thread of this id was deleted, or has expired, and
        awaits its purge.
        """
        snapshot = Snapshot.checked(thread)
        before = self._snapshots.find(thread, user)
        if before is not None:
            await self._change(thread.id, user, before, snapshot)
            self._snapshots.keep(thread, user, snapshot)
            return True
        buried = keys.tombstone_key(user, thread.id)
        guard = {
            "ConditionCheck": {"Key": buried, "ConditionExpression": "attribute_not_exists(pk)"}
        }
        whole = {"Update": self._whole(thread, user, snapshot)}
        try:
            await self.table.transact([whole, guard, _head(thread, user, snapshot)])
        except Refused:
            return False
        self._snapshots.created(thread, user, snapshot)
        return True

    async def revive(self, thread: ThreadMetadata, user: str) -> None:
        """Write a new thread under the id of a deleted one whose remains are purged."""
        snapshot = Snapshot.checked(thread)
        whole = {"Update": self._whole(thread, user, snapshot)}
        unburied = {"Delete": {"Key": keys.tombstone_key(user, thread.id)}}
        await self.table.transact([whole, unburied, _head(thread, user, snapshot)])
        self._snapshots.created(thread, user, snapshot)

    def create(self, thread: ThreadMetadata, user: str, extra: Row) -> list[dict[str, Any]]:
        """What writes a thread that must not exist yet, with `extra` attributes; part of a
        transaction. `remember` it once it is written.
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
        return [new, _head(thread, user, snapshot)]

    def remember(self, thread: ThreadMetadata, user: str) -> None:
        self._snapshots.created(thread, user, Snapshot.of(thread))

    def _whole(self, thread: ThreadMetadata, user: str, snapshot: Snapshot) -> dict[str, Any]:
        # Writing a thread that exists is no activity: it keeps its place and its time.
        kept = {
            "position": {"S": keys.position(keys.stamp(thread.created_at), thread.id)},
            **self._expiry(),
        }
        written = {"id": {"S": thread.id}, **snapshot.attributes()}
        sets = [f"#{name} = if_not_exists(#{name}, :{name})" for name in kept]
        sets += [f"#{name} = :{name}" for name in written]
        attributes = {**kept, **written}
        return {
            "Key": keys.thread_key(user, thread.id),
            "UpdateExpression": f"SET {', '.join(sets)}",
            "ConditionExpression": ALIVE,
            "ExpressionAttributeNames": {f"#{name}": name for name in attributes},
            "ExpressionAttributeValues": {
                ":now": now_value(),
                **{f":{name}": value for name, value in attributes.items()},
            },
        }

    async def _change(self, thread_id: str, user: str, before: Snapshot, after: Snapshot) -> None:
        sets: list[str] = []
        removes: list[str] = []
        names: dict[str, str] = {}
        values: dict[str, Value] = {}

        def compare(attribute: str, old: dict[str, str], new: dict[str, str], prefix: str) -> None:
            for name in sorted(old.keys() | new.keys()):
                if old.get(name) == new.get(name):
                    continue
                token = str(len(names))
                names[f"#a{attribute[0]}"] = attribute
                names[f"#n{token}"] = prefix + name
                path = f"#a{attribute[0]}.#n{token}"
                if name in new:
                    values[f":v{token}"] = {"S": new[name]}
                    sets.append(f"{path} = :v{token}")
                else:
                    removes.append(path)

        compare("fields", before.fields, after.fields, "")
        compare("metadata", before.metadata, after.metadata, "=")
        if not sets and not removes:
            return
        expression = " ".join(
            f"{verb} {', '.join(parts)}"
            for verb, parts in (("SET", sets), ("REMOVE", removes))
            if parts
        )
        change = {"UpdateExpression": expression, "ExpressionAttributeNames": names}
        row = {
            "Key": keys.thread_key(user, thread_id),
            **change,
            "ConditionExpression": EXISTS,
            "ExpressionAttributeValues": {":now": now_value(), **values},
        }
        head = {
            "Key": keys.head_key(user, thread_id),
            **change,
            "ConditionExpression": "attribute_exists(pk)",  # else the update itself is invalid
            **({"ExpressionAttributeValues": values} if values else {}),
        }
        try:
            await self.table.transact([{"Update": row}, {"Update": head}])
        except Refused:
            raise NotFoundError(f"Thread {thread_id} not found") from None

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
        """Remove the row and leave a tombstone, atomically; False when there was no such thread."""
        return await self._bury(thread_id, user, "attribute_exists(pk)", {})

    async def bury_expired(self, thread_id: str, user: str) -> bool:
        """Delete a thread whose time is over, if it is still there."""
        return await self._bury(thread_id, user, "expires <= :now", {":now": now_value()})

    async def _bury(
        self, thread_id: str, user: str, condition: str, values: dict[str, Value]
    ) -> bool:
        tombstone = {
            **keys.tombstone_key(user, thread_id),
            "expires": {"N": str(int(time.time()) + TOMBSTONE_SECONDS)},
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
                ]
            )
        except Refused:
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


def _head(thread: ThreadMetadata, user: str, snapshot: Snapshot) -> dict[str, Any]:
    """What writes a thread's head whole; part of the transaction that writes its row."""
    head = {
        **keys.head_key(user, thread.id),
        "position": {"S": keys.HEAD_POSITION},
        **snapshot.attributes(),
    }
    return {"Put": {"Item": head}}


def _warn(thread_id: str, error: ValidationError) -> None:
    logger.warning(
        "thread skipped: this version cannot read it",
        extra={"thread_id": thread_id, "errors": error.error_count()},
    )
