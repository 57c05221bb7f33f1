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
LARGEST_ROW: Final = 150_000
"""Bytes of a thread's row: with its index entry it must stay below DynamoDB's 400 KB."""

EXISTS: Final = "attribute_exists(pk) AND (attribute_not_exists(expires) OR expires > :now)"
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

    def expiry(self) -> dict[str, Value]:
        """The TTL attribute of a row written now; empty without a retention."""
        if not self.retention_seconds:
            return {}
        return {"expires": {"N": str(int(time.time()) + self.retention_seconds)}}

    def read(self, row: Row | None, user: str, thread_id: str) -> ThreadMetadata:
        if row is None or expired(row):
            raise NotFoundError(f"Thread {thread_id} not found")
        snapshot = Snapshot.from_row(row)
        thread = snapshot.thread()
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
        """Write what changed. False when a thread of this id was deleted and awaits its purge."""
        snapshot = _checked(Snapshot.of(thread))
        before = self._snapshots.find(thread, user)
        if before is not None:
            await self._change(thread.id, user, before, snapshot)
            self._snapshots.keep(thread, user, snapshot)
            return True
        buried = keys.tombstone_key(user, thread.id)
        guard = {
            "ConditionCheck": {"Key": buried, "ConditionExpression": "attribute_not_exists(pk)"}
        }
        try:
            await self.table.transact([{"Update": self._whole(thread, user, snapshot)}, guard])
        except Refused:
            return False
        self._snapshots.created(thread, user, snapshot)
        return True

    async def revive(self, thread: ThreadMetadata, user: str) -> None:
        """Write a new thread under the id of a deleted one whose remains are purged."""
        snapshot = _checked(Snapshot.of(thread))
        whole = {"Update": self._whole(thread, user, snapshot)}
        await self.table.transact([whole, {"Delete": {"Key": keys.tombstone_key(user, thread.id)}}])
        self._snapshots.created(thread, user, snapshot)

    def new_row(self, thread: ThreadMetadata, user: str) -> Row:
        """The row of a thread that must not exist yet; `remember` it once it is written."""
        return {
            **keys.thread_key(user, thread.id),
            "id": {"S": thread.id},
            "position": {"S": keys.position(keys.stamp(thread.created_at), thread.id)},
            **_checked(Snapshot.of(thread)).attributes(),
            **self.expiry(),
        }

    def remember(self, thread: ThreadMetadata, user: str) -> None:
        self._snapshots.created(thread, user, Snapshot.of(thread))

    def _whole(self, thread: ThreadMetadata, user: str, snapshot: Snapshot) -> dict[str, Any]:
        attributes = {
            "id": {"S": thread.id},
            **snapshot.attributes(),
            **self.expiry(),
        }
        sets = [f"#{name} = :{name}" for name in attributes]
        return {
            "Key": keys.thread_key(user, thread.id),
            "UpdateExpression": "SET #position = if_not_exists(#position, :position), "
            + ", ".join(sets),
            "ExpressionAttributeNames": {f"#{name}": name for name in [*attributes, "position"]},
            "ExpressionAttributeValues": {
                ":position": {"S": keys.position(keys.stamp(thread.created_at), thread.id)},
                **{f":{name}": value for name, value in attributes.items()},
            },
        }

    async def _change(self, thread_id: str, user: str, before: Snapshot, after: Snapshot) -> None:
        sets: list[str] = []
        removes: list[str] = []
        names: dict[str, str] = {}
        values: dict[str, Value] = {":now": now_value()}

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
        try:
            await self.table.update(
                keys.thread_key(user, thread_id),
                expression,
                ConditionExpression=EXISTS,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )
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
            **self.expiry(),
            **(extra or {}),
        }
        return {
            "Key": keys.thread_key(user, thread_id),
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
            "ConditionExpression": EXISTS,
            "ExpressionAttributeNames": {f"#{name}": name for name in attributes},
            "ExpressionAttributeValues": {
                ":now": now_value(),
                **{f":{name}": value for name, value in attributes.items()},
            },
        }

    async def delete(self, thread_id: str, user: str) -> bool:
        """Remove the row and leave a tombstone, atomically; False when there was no such thread."""
        tombstone = {
            **keys.tombstone_key(user, thread_id),
            "expires": {"N": str(int(time.time()) + TOMBSTONE_SECONDS)},
        }
        try:
            await self.table.transact(
                [
                    {
                        "Delete": {
                            "Key": keys.thread_key(user, thread_id),
                            "ConditionExpression": "attribute_exists(pk)",
                        }
                    },
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

    async def _start(self, after: str, user: str) -> str:
        carried = keys.read_cursor(after)
        if carried is not None:
            return carried
        row = await self.table.get(
            keys.thread_key(user, after),
            ProjectionExpression="#position",
            ExpressionAttributeNames={"#position": "position"},
        )
        if row is None:
            raise NotFoundError(f"Thread {after} not found")
        return str(row["position"]["S"])

    def _listed(self, row: Row, user: str) -> ThreadMetadata | None:
        if expired(row):
            return None
        try:
            return self.read(row, user, row["id"]["S"])
        except ValidationError as error:
            logger.warning(
                "thread skipped: this version cannot read it",
                extra={"thread_id": row["id"]["S"], "errors": error.error_count()},
            )
            return None


def _checked(snapshot: Snapshot) -> Snapshot:
    size = sum(
        len(name.encode()) + len(text.encode())
        for part in (snapshot.fields, snapshot.metadata)
        for name, text in part.items()
    )
    if size > LARGEST_ROW:
        raise ValueError(f"a thread's fields and metadata are {size} bytes, over {LARGEST_ROW}")
    return snapshot
