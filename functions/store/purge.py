"""Finishing what deletion began: the rows and objects below a thread that is gone.

Deleting a thread removes its row and leaves a tombstone; where a retention is
set, TTL removes the row. What lies below it is removed here, by `delete_thread`
itself or by the table's stream event; and once more when the tombstone expires,
for what a run still wrote to S3 meanwhile.
Everything may run twice, or die half-way and run again.
"""

import logging
from collections.abc import Iterable
from typing import Any, Final

from functions.attachments import schema as files
from functions.attachments.bucket import Bucket, digest, file_key, upload_key
from functions.settings import get_settings
from functions.store import keys
from functions.store.bodies import SPILL
from functions.store.table import Row, Table

logger = logging.getLogger(__name__)

ROWS_AT_ONCE: Final = 200
"""Rows collected before they are deleted, in eight batches side by side."""


class Purge:
    def __init__(self, table: Table, bucket: Bucket | None) -> None:
        self.table = table
        self.bucket = bucket

    async def thread(self, partition: str) -> int:
        """Remove all that is left of a deleted thread but its tombstone; returns the rows removed.

        A thread that exists (its id was used again) is left alone.
        """
        user_pk, _, thread = partition.rpartition("#T#")
        row = await self.table.get(keys.key(user_pk, keys.THREAD + thread))
        if row is not None:
            return 0
        batch: list[keys.Key] = []
        removed = 0
        query = {
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": partition}},
            "ProjectionExpression": "pk, sk",
        }
        async for row in self.table.query(**query):
            sort = row["sk"]["S"]
            if sort == keys.TOMBSTONE:
                continue
            if sort.startswith(keys.ATTACHMENT):
                await self._attachment(keys.key(user_pk, sort), thread)
            batch.append(keys.key(partition, sort))
            removed += 1
            if len(batch) == ROWS_AT_ONCE:
                await self.table.delete_many(batch)
                batch = []
        await self.table.delete_many(batch)
        if self.bucket:
            folder = f"{digest(user_pk.removeprefix('U#'))}/{digest(thread)}/"
            for prefix in (files.SPILL, files.IMAGES):
                await self.bucket.delete_prefix(prefix + folder)
        return removed

    async def _attachment(self, record: keys.Key, thread: str) -> None:
        """Remove a record and its bytes, unless another thread carries the file by now."""
        row = await self.table.get(record)
        if row is None or row.get("thread", {}).get("S") != thread:
            return
        await self._attachment_bytes(record)
        await self.table.delete(record)

    async def _attachment_bytes(self, record: keys.Key) -> None:
        if self.bucket:
            user = record["pk"]["S"].removeprefix("U#")
            attachment = record["sk"]["S"].removeprefix(keys.ATTACHMENT)
            await self.bucket.delete(upload_key(user, attachment), file_key(user, attachment))

    async def record(self, record: dict[str, Any]) -> None:
        """Do what one record of the table's stream asks for; most ask for nothing."""
        change = record["dynamodb"]
        key = {name: change["Keys"][name] for name in ("pk", "sk")}
        partition, sort = key["pk"]["S"], key["sk"]["S"]
        old: Row = change.get("OldImage", {})
        if SPILL in old:
            await self._spilled(key, old[SPILL]["S"])
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

    async def _spilled(self, key: keys.Key, old: str) -> None:
        """Remove a body that its row no longer points to."""
        row = await self.table.get(key)
        if self.bucket and (row is None or row.get(SPILL, {}).get("S") != old):
            await self.bucket.delete(old)


async def purge_deleted_threads(
    records: Iterable[dict[str, Any]], *, purge: Purge | None = None
) -> list[str]:
    """Handle records of the table's stream; returns the sequence numbers of those that failed.

    Lambda takes them as `batchItemFailures` and sends these records again, so a
    fault costs time and nothing else. The table and bucket are the settings' own
    unless `purge` says otherwise.
    """
    if purge is None:
        settings = get_settings()
        purge = Purge(Table(settings.table), Bucket(settings.attachments_bucket))
    failed = []
    for record in records:
        number = str(record["dynamodb"]["SequenceNumber"])
        try:
            await purge.record(record)
        except Exception:
            logger.exception("a stream record could not be handled", extra={"sequence": number})
            failed.append(number)
    return failed
