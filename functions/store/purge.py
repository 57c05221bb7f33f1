"""Finishing what deletion began: the rows and objects below a thread that is gone.

Deleting a thread removes its row and leaves a tombstone; where a retention is
set, TTL removes the row. What lies below it is removed here, by `delete_thread`
itself or by the table's stream event; and once more when the tombstone expires,
for what a run still wrote to S3 meanwhile.
Everything may run twice, or die half-way and run again: `GONE#` among the user's
rows names a deleted thread until its purge has ended, for `delete_user` and a sweep.
"""

import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

from ..attachments import schema as files
from ..attachments.schema import file_key, upload_key
from ..aws.bucket import Bucket
from ..aws.keys import digest
from . import keys
from .bodies import SPILL
from .items import IMAGE
from .table import ConditionFailed, Row, Table

logger = logging.getLogger(__name__)

ROWS_AT_ONCE: Final = 200
"""Rows collected before they are deleted, in eight batches side by side."""


class _BackAgain(Exception):  # noqa: N818 - what happened
    """The thread exists: its id is in use again."""


class Purge:
    def __init__(self, table: Table, bucket: Bucket | None) -> None:
        self.table = table
        self.bucket = bucket

    async def thread(self, partition: str) -> int:
        """Remove all that is left of a deleted thread but its tombstone; returns the rows removed.

        A thread that exists (its id was used again) is left alone, also when it comes while
        this is at work: what goes was seen before a look that found no thread. Only an item
        that is saved anew under its old id right after the last look may go with the old one.
        """
        user_pk, _, part = partition.rpartition("#T#")
        pending = keys.key(user_pk, keys.GONE + part)
        thread, gone = await self.table.get_many([_thread_key(partition), pending])
        if thread is not None:
            return 0
        batch: list[str] = []
        removed, headed = 0, False
        query = {
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": partition}},
            "ProjectionExpression": "sk",
        }
        with suppress(_BackAgain):
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
            # Last, for while one of these stands, the id begins no new thread over what is left.
            if headed:
                await self._head(partition)
                removed += 1
            if gone is not None:
                await self._done(pending, gone)
        return removed

    async def _look(self, partition: str) -> None:
        if await self.table.get(_thread_key(partition)) is not None:
            raise _BackAgain

    async def _rows(self, partition: str, sorts: list[str]) -> None:
        if not sorts:
            return
        for sort in sorts:
            if sort.startswith(keys.ATTACHMENT):
                await self._attachment(partition, sort)
        await self._look(partition)
        await self.table.delete_many(keys.key(partition, sort) for sort in sorts)

    async def _head(self, partition: str) -> None:
        """A thread that expired leaves its head, and each thread's head has the same key: one
        that goes with a thread that came back would hide that thread from its turns for ever.
        """
        # Of no row, a removal on a condition is a check that needs no right to check.
        none = {"Key": _thread_key(partition), "ConditionExpression": "attribute_not_exists(pk)"}
        head = {"Key": keys.key(partition, keys.HEAD)}
        try:
            await self.table.transact([{"Delete": none}, {"Delete": head}])
        except ConditionFailed:
            raise _BackAgain from None

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
            await self._look(partition)
            await self.bucket.delete(*objects)

    async def _done(self, pending: keys.Key, gone: Row) -> None:
        """Forget that a purge was due, unless the thread came back and was deleted again."""
        same = {
            "Key": pending,
            "ConditionExpression": "#at = :at",
            "ExpressionAttributeNames": {"#at": "at"},
            "ExpressionAttributeValues": {":at": gone["at"]},
        }
        with suppress(ConditionFailed):
            await self.table.transact([{"Delete": same}])

    async def _attachment(self, partition: str, sort: str) -> None:
        """Remove a record and its bytes, unless another thread carries the file by now."""
        user_pk, _, part = partition.rpartition("#T#")
        record = keys.key(user_pk, sort)
        thread, row = await self.table.get_many([_thread_key(partition), record])
        if thread is not None:
            raise _BackAgain
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
        """Handle records of the table's stream; returns the sequence numbers of those that failed."""
        failed = []
        for record in records:
            number = str(record["dynamodb"]["SequenceNumber"])
            try:
                await self._record(record)
            except Exception:
                logger.exception("a stream record could not be handled", extra={"sequence": number})
                failed.append(number)
        return failed

    async def _record(self, record: dict[str, Any]) -> None:
        """Do what one record of the table's stream asks for; most ask for nothing."""
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
        """Remove an object that its row no longer points to."""
        row = await self.table.get(key)
        if self.bucket and (row is None or row.get(name, {}).get("S") != old):
            await self.bucket.delete(old)


def _thread_key(partition: str) -> keys.Key:
    """The row of the thread that a partition belongs to."""
    user_pk, _, part = partition.rpartition("#T#")
    return keys.key(user_pk, keys.THREAD + part)
