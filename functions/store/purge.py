"""Finishing what deletion began: everything below a thread, a user, or an orphaned row."""

import logging

from functions.attachments import schema as files
from functions.attachments.bucket import Bucket, digest, file_key, upload_key
from functions.store import keys
from functions.store.table import Table

logger = logging.getLogger(__name__)


class Purge:
    """Removes rows and objects. Everything here may be run twice, or die half-way and run again."""

    def __init__(self, table: Table, bucket: Bucket | None) -> None:
        self.table = table
        self.bucket = bucket

    async def thread(self, partition: str) -> None:
        """Remove all that is left of a deleted thread, but for its tombstone.

        A thread that exists (its id was used again) is left alone.
        """
        user_pk, _, thread = partition.rpartition("#T#")
        if await self.table.get(keys.key(user_pk, keys.THREAD + thread), ProjectionExpression="pk"):
            return
        user = user_pk.removeprefix("U#")
        batch: list[keys.Key] = []
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
                await self._attachment(user_pk, sort, thread)
            batch.append(keys.key(partition, sort))
            if len(batch) == 25 * 8:
                await self.table.delete_many(batch)
                batch = []
        await self.table.delete_many(batch)
        if self.bucket:
            for prefix in (files.SPILL, files.IMAGES):
                await self.bucket.delete_prefix(f"{prefix}{digest(user)}/{digest(thread)}/")

    async def _attachment(self, user_pk: str, sort: str, thread: str) -> None:
        """Remove a record and its bytes, unless another thread carries the file by now."""
        key = keys.key(user_pk, sort)
        row = await self.table.get(key)
        if row is None or row.get("thread", {}).get("S") != thread:
            return
        await self.attachment_bytes(key)
        await self.table.delete(key)

    async def attachment_bytes(self, record: keys.Key) -> None:
        """Remove the bytes of the attachment whose record has this key."""
        if self.bucket:
            user = record["pk"]["S"].removeprefix("U#")
            attachment = record["sk"]["S"].removeprefix(keys.ATTACHMENT)
            await self.bucket.delete(upload_key(user, attachment), file_key(user, attachment))
