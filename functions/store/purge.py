"""The purge of a deleted thread: removes the rows and objects that belonged to it.

`delete_thread` removes a thread's row and leaves a tombstone; with a retention, TTL removes the
row. The purge removes the rest. `delete_thread` calls it, or the event of the table's stream does.
It runs again when the tombstone expires, for objects that a run still wrote to S3 after the first.

A purge may run twice, and may fail half-way and run again. A `GONE#` row in the user's partition
names a deleted thread until its purge has finished, for `delete_user` and a sweep.
"""

import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

from ..attachments import schema as files
from ..attachments.schema import file_key, upload_key
from ..aws import owner_sessions
from ..aws.bucket import Bucket
from ..aws.keys import digest
from . import keys
from .bodies import SPILL
from .items import IMAGE
from .table import ConditionFailed, Row, Table

logger = logging.getLogger(__name__)

ROWS_AT_ONCE: Final = 200
"""Rows that are collected and then deleted, in eight parallel batches."""


class _ThreadExists(Exception):  # noqa: N818 - an outcome, not a fault
    """The thread exists, because its id is in use again."""


class Purge:
    def __init__(self, table: Table, bucket: Bucket | None) -> None:
        self.table = table
        self.bucket = bucket

    async def thread(self, partition: str) -> int:
        """Remove what is left of a deleted thread, except its tombstone; returns the rows removed.

        `partition` is the thread's. Nothing is removed when the thread exists, because its id is
        in use again. That also holds when it is created during the purge: every row was read
        before a check that found no thread. One case remains: an item that is saved under its old
        id just after the last check may be removed with the old item.
        """
        user_pk, _, part = partition.rpartition("#T#")
        pending = keys.key(user_pk, keys.GONE + part)
        thread, gone = await self.table.get_many([keys.thread_of(partition), pending])
        if thread is not None:
            return 0
        batch: list[str] = []
        removed, headed = 0, False
        query = {
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": partition}},
            "ProjectionExpression": "sk",
        }
        with suppress(_ThreadExists):
            async for row in self.table.query(**query):
                headed |= row["sk"]["S"] == keys.HEAD
                if row["sk"]["S"] in (keys.TOMBSTONE, keys.HEAD):
                    continue
                batch.append(row["sk"]["S"])
                if len(batch) == ROWS_AT_ONCE:
                    await self._rows(partition, batch)
                    removed += len(batch)
                    batch = []
            await self._rows(partition, batch)
            removed += len(batch)
            await self._objects(partition)
            # These two come last: while either exists, nobody can create a thread with this id.
            if headed:
                await self._head(partition)
                removed += 1
            if gone is not None:
                await self._done(pending, gone)
        return removed

    async def _check_gone(self, partition: str) -> None:
        if await self.table.get(keys.thread_of(partition)) is not None:
            raise _ThreadExists

    async def _rows(self, partition: str, sorts: list[str]) -> None:
        if not sorts:
            return
        for sort in sorts:
            if sort.startswith(keys.ATTACHMENT):
                await self._attachment(partition, sort)
        await self._check_gone(partition)
        await self.table.delete_many(keys.key(partition, sort) for sort in sorts)

    async def _head(self, partition: str) -> None:
        """Remove the head, unless the thread exists again.

        TTL removes a thread and leaves its head. A new thread with the same id has its head under
        the same key, and `open_turn` finds no thread without one.
        """
        # A conditional delete of a missing row acts as a condition check, without that permission.
        no_thread = {
            "Key": keys.thread_of(partition),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        head = {"Key": keys.key(partition, keys.HEAD)}
        try:
            await self.table.transact([{"Delete": no_thread}, {"Delete": head}])
        except ConditionFailed:
            raise _ThreadExists from None

    async def _objects(self, partition: str) -> None:
        if self.bucket is None:
            return
        user_pk, _, part = partition.rpartition("#T#")
        folder = f"{digest(user_pk.removeprefix('U#'))}/{digest(part)}/"
        objects = [
            key
            for prefix in (files.SPILL, files.IMAGES)
            async for key, _ in self.bucket.list(prefix + folder)
        ]
        if objects:
            await self._check_gone(partition)
            await self.bucket.delete(*objects)

    async def _done(self, pending: keys.Key, gone: Row) -> None:
        """Remove the `GONE#` row, unless the thread was created and deleted again meanwhile."""
        same = {
            "Key": pending,
            "ConditionExpression": "#at = :at",
            "ExpressionAttributeNames": {"#at": "at"},
            "ExpressionAttributeValues": {":at": gone["at"]},
        }
        with suppress(ConditionFailed):
            await self.table.transact([{"Delete": same}])

    async def _attachment(self, partition: str, sort: str) -> None:
        """Remove a record and its bytes, unless the file now belongs to another thread."""
        user_pk, _, part = partition.rpartition("#T#")
        record = keys.key(user_pk, sort)
        thread, row = await self.table.get_many([keys.thread_of(partition), record])
        if thread is not None:
            raise _ThreadExists
        if row is None or row.get("thread", {}).get("S") != part:
            return
        await self._attachment_bytes(record)
        await self.table.delete(record)

    async def _attachment_bytes(self, record: keys.Key) -> None:
        if self.bucket:
            user = record["pk"]["S"].removeprefix("U#")
            attachment = record["sk"]["S"].removeprefix(keys.ATTACHMENT)
            await self.bucket.delete(upload_key(user, attachment), file_key(user, attachment))

    async def records(self, records: Iterable[dict[str, Any]]) -> list[str]:
        """Handle records of the table's stream; returns the sequence numbers of failed ones.

        Each is handled for the user whom its key names.
        """
        failed = []
        for record in records:
            number = str(record["dynamodb"]["SequenceNumber"])
            try:
                partition = record["dynamodb"]["Keys"]["pk"]["S"]
                if not partition.startswith(keys.USER):  # counters name no object
                    continue
                with owner_sessions.acting_for(keys.user_of(partition)):
                    await self._record(record)
            except Exception:
                logger.exception("a stream record could not be handled", extra={"sequence": number})
                failed.append(number)
        return failed

    async def _record(self, record: dict[str, Any]) -> None:
        """Remove what one record of the table's stream says is gone. Most records need nothing."""
        change = record["dynamodb"]
        key = {name: change["Keys"][name] for name in ("pk", "sk")}
        partition, sort = key["pk"]["S"], key["sk"]["S"]
        old: Row = change.get("OldImage", {})
        for name in (SPILL, IMAGE):
            if name in old:
                await self._replaced(key, name, old[name]["S"])
        if record["eventName"] != "REMOVE":
            return
        if sort.startswith(keys.THREAD):
            await self.thread(f"{partition}#T#{sort.removeprefix(keys.THREAD)}")
        elif sort == keys.TOMBSTONE:
            await self.thread(partition)
        elif (
            sort.startswith(keys.ATTACHMENT)
            and "#T#" not in partition
            and await self.table.get(key) is None
        ):
            await self._attachment_bytes(key)

    async def _replaced(self, key: keys.Key, name: str, old: str) -> None:
        """Remove an object, unless its row still points to it."""
        row = await self.table.get(key)
        if self.bucket and (row is None or row.get(name, {}).get("S") != old):
            await self.bucket.delete(old)
