"""Everything of one person: to hand over, and to remove."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any, Final

from functions import aws
from functions.attachments import schema as files
from functions.attachments.bucket import Bucket, digest, file_key, upload_key, voice_prefix
from functions.store import keys
from functions.store.bodies import PLACES, Bodies
from functions.store.purge import Purge
from functions.store.snapshots import Snapshot
from functions.store.table import Row, Table
from functions.store.threads import Threads, expired

logger = logging.getLogger(__name__)

PREFIXES: Final = (files.UPLOADS, files.VOICE, files.FILES, files.IMAGES, files.SPILL)


class People:
    def __init__(self, table: Table, threads: Threads, bodies: Bodies, purge: Purge) -> None:
        self.table = table
        self.threads = threads
        self.bodies = bodies
        self.purge = purge

    @property
    def bucket(self) -> Bucket | None:
        return self.bodies.bucket

    async def delete(self, user: str) -> None:
        """Threads first, so that no run can write to them any more; then the rest."""
        partition = keys.user_partition(user)
        while threads := [row async for row in self._rows(partition, keys.THREAD)]:
            for row in threads:
                thread_id = row["id"]["S"]
                await self.threads.delete(thread_id, user)
                await self.purge.thread(keys.thread_partition(user, thread_id))
        for pk in (partition, keys.quota_partition(user)):
            rows = [row async for row in self._rows(pk, "")]
            # A file may name a thread that never was: that entry has no thread to go with.
            entries = [
                keys.key(f"{pk}#T#{row['thread']['S']}", row["sk"]["S"])
                for row in rows
                if row["sk"]["S"].startswith(keys.ATTACHMENT) and "thread" in row
            ]
            await self.table.delete_many(entries)
            await self.table.delete_many(keys.key(pk, row["sk"]["S"]) for row in rows)
        if self.bucket:
            for prefix in PREFIXES:
                await self.bucket.delete_prefix(f"{prefix}{digest(user)}/")

    async def export(self, user: str) -> AsyncIterator[dict[str, Any]]:
        partition = keys.user_partition(user)
        past: set[str] = set()
        async for row in self._rows(partition, keys.THREAD):
            if expired(row):
                past.add(keys.part(row["id"]["S"]))
                continue
            snapshot = Snapshot.from_row(row)
            fields = {name: json.loads(text) for name, text in snapshot.fields.items()}
            metadata = {name: json.loads(text) for name, text in snapshot.metadata.items()}
            yield {"type": "thread", "thread": {**fields, "metadata": metadata}}
            async for below in self._below(user, row["id"]["S"]):
                yield below
        async for row in self._rows(partition, keys.ATTACHMENT):
            if expired(row) or row.get("thread", {}).get("S") in past:
                continue
            yield {
                "type": "attachment",
                "attachment": json.loads(row["body"]["S"]),
                "url": await self._link(user, row),
            }
        async for row in self._rows(partition, keys.RECORD):
            value = json.loads(row["body"]["S"])
            yield {"type": "record", "kind": row["kind"]["S"], "value": value}
        if self.bucket:
            async for key, _ in self.bucket.list(voice_prefix(user)):
                yield {
                    "type": "recording",
                    "url": await aws.call(self.bucket.sign_get, key=key),
                }

    async def _below(self, user: str, thread_id: str) -> AsyncIterator[dict[str, Any]]:
        async for row in self._rows(keys.thread_partition(user, thread_id), ""):
            sort = row["sk"]["S"]
            if sort.startswith(keys.ITEM) and any(place in row for place in PLACES):
                item = await self._item(row)
                if item is not None:
                    yield {"type": "item", "thread_id": thread_id, "item": item}
            elif sort.startswith(keys.FEEDBACK):
                yield {
                    "type": "feedback",
                    "thread_id": thread_id,
                    "item_id": row["item"]["S"],
                    "kind": row["kind"]["S"],
                    "at": row["at"]["S"],
                }

    async def _item(self, row: Row) -> Any | None:
        """An item as it was stored, of any type; `None`, with a warning, without its body."""
        try:
            return json.loads(await self.bodies.unpack(row))
        except LookupError as error:
            logger.warning(
                "item left out: it cannot be read here",
                extra={"item_id": row["id"]["S"], "reason": type(error).__name__},
            )
            return None

    async def _link(self, user: str, row: Row) -> str | None:
        if self.bucket is None:
            return None
        attachment = row["sk"]["S"].removeprefix(keys.ATTACHMENT)
        place = file_key if "thread" in row else upload_key
        return await aws.call(self.bucket.sign_get, key=place(user, attachment))

    def _rows(self, partition: str, prefix: str) -> AsyncIterator[Row]:
        values = {":pk": {"S": partition}}
        condition = "pk = :pk"
        if prefix:
            values[":prefix"] = {"S": prefix}
            condition += " AND begins_with(sk, :prefix)"
        return self.table.query(KeyConditionExpression=condition, ExpressionAttributeValues=values)
