"""Everything that one user owns: export and deletion."""

import json
import logging
import time
from collections.abc import AsyncIterator
from typing import Any, Final

from .. import aws
from ..attachments import schema as files
from ..attachments.schema import file_key, upload_key, voice_prefix
from ..aws.bucket import Bucket
from ..aws.keys import digest
from . import attachment_records, keys
from .bodies import PLACES
from .expiry import DAY, expired
from .items import Items
from .links import Links
from .purge import Purge
from .snapshots import Snapshot
from .table import Row, Table
from .threads import Threads

logger = logging.getLogger(__name__)

PREFIXES: Final = (files.UPLOADS, files.VOICE, files.FILES, files.IMAGES, files.SPILL)
THREADS: Final = (keys.THREAD, keys.GONE)
"""Rows of threads, and of deleted threads that may still have rows or objects."""


class People:
    def __init__(
        self, table: Table, threads: Threads, items: Items, links: Links, purge: Purge
    ) -> None:
        self.table = table
        self.threads = threads
        self.items = items
        self.links = links
        self.purge = purge

    @property
    def bucket(self) -> Bucket | None:
        return self.links.bucket

    async def delete(self, user: str) -> None:
        """Delete the threads first, so that no run can write to them any more, then the rest.

        Includes threads that were deleted before, because their purge may not have finished.
        """
        partition = keys.user_partition(user)
        while threads := [row for prefix in THREADS async for row in self._rows(partition, prefix)]:
            for row in threads:
                kind, mark, part = row["sk"]["S"].partition("#")
                if kind + mark == keys.THREAD:
                    await self.threads.delete(row["id"]["S"], user)
                await self.purge.thread(f"{partition}#T#{part}")
        for pk in (partition, keys.counters_partition(user)):
            rows = [
                row
                async for row in self._rows(pk, "")
                # A thread that is new since then stays: without its row, nobody finds its items.
                # The time of a sign-out stays, or else the tokens from before it would count again.
                if not row["sk"]["S"].startswith((*THREADS, keys.SIGNED_OUT))
            ]
            # A file may name a thread that was never saved: no thread's purge removes its link row.
            links = [
                keys.key(f"{pk}#T#{row['thread']['S']}", row["sk"]["S"])
                for row in rows
                if row["sk"]["S"].startswith(keys.ATTACHMENT) and "thread" in row
            ]
            await self.table.delete_many(links)
            await self.table.delete_many(keys.key(pk, row["sk"]["S"]) for row in rows)
        if self.bucket:
            for prefix in PREFIXES:
                await self.bucket.delete_prefix(f"{prefix}{digest(user)}/")
        await self._tell(user)

    async def _tell(self, user: str) -> None:
        """Tell whoever reads the table's stream, by a row that is there for a moment only.

        TTL removes it where this process ends between the two writes.
        """
        deleted = keys.deleted_key(user)
        await self.table.put({**deleted, "expires": {"N": str(int(time.time()) + DAY)}})
        await self.table.delete(deleted)

    async def export(self, user: str) -> AsyncIterator[dict[str, Any]]:
        partition = keys.user_partition(user)
        existing: set[str] = set()
        gone: set[str] = set()
        async for row in self._rows(partition, keys.THREAD):
            name = row["sk"]["S"].removeprefix(keys.THREAD)
            if expired(row):
                gone.add(name)
                continue
            existing.add(name)
            snapshot = Snapshot.from_row(row)
            fields = {name: json.loads(text) for name, text in snapshot.fields.items()}
            metadata = {name: json.loads(text) for name, text in snapshot.metadata.items()}
            yield {"type": "thread", "thread": {**fields, "metadata": metadata}}
            async for below in self._below(user, row["id"]["S"]):
                yield below
        async for row in self._rows(partition, keys.GONE):
            gone.add(row["sk"]["S"].removeprefix(keys.GONE))
        async for row in self._rows(partition, keys.ATTACHMENT):
            thread = row.get("thread", {}).get("S")
            if self._is_gone(thread, existing, gone) or expired(row):
                continue
            if attachment_records.read(row) is None:
                continue
            attachment = json.loads(row["body"]["S"])
            await self._sign(attachment, "preview_url", user)
            yield {
                "type": "attachment",
                "attachment": attachment,
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

    def _is_gone(self, thread: str | None, existing: set[str], gone: set[str]) -> bool:
        """Whether a file's thread was deleted or has expired, by the rule of `load_attachment`."""
        if thread is None or thread in existing:
            return False
        # With a retention, TTL may have removed the thread, which leaves no trace.
        return thread in gone or bool(self.threads.retention_seconds)

    async def _below(self, user: str, thread_id: str) -> AsyncIterator[dict[str, Any]]:
        async for row in self._rows(keys.thread_partition(user, thread_id), ""):
            sort = row["sk"]["S"]
            if sort.startswith(keys.ITEM) and any(place in row for place in PLACES):
                item = await self._item(row, user)
                if item is not None:
                    yield {"type": "item", "thread_id": thread_id, "item": item}
            elif sort.startswith(keys.RECORD):
                value = json.loads(row["body"]["S"])
                kind = row["kind"]["S"]
                yield {"type": "record", "thread_id": thread_id, "kind": kind, "value": value}
            elif sort.startswith(keys.FEEDBACK) and "kind" in row:
                yield {
                    "type": "feedback",
                    "thread_id": thread_id,
                    "item_id": row["item"]["S"],
                    "kind": row["kind"]["S"],
                    "at": row["at"]["S"],
                }

    async def _item(self, row: Row, user: str) -> Any | None:
        """An item as it was stored, of any type, with signed links.

        `None`, with a warning in the log, when its body is missing.
        """
        try:
            text, _ = await self.items.text(row)
            item = json.loads(text)
        except LookupError as error:
            logger.warning(
                "an item was left out of an export: it cannot be read",
                extra={"item_id": row["id"]["S"], "reason": type(error).__name__},
            )
            return None
        await self._sign(item.get("image"), "url", user)
        for attachment in item.get("attachments") or []:
            await self._sign(attachment, "preview_url", user)
        return item

    async def _sign(self, part: Any, name: str, user: str) -> None:
        """Sign a link in place, if it is a link to this user's object in the bucket."""
        if isinstance(part, dict) and isinstance(part.get(name), str):
            part[name] = await self.links.sign(part[name], user)

    async def _link(self, user: str, row: Row) -> str | None:
        """A link to a file's bytes; `None` when they were not uploaded or are not in this bucket.

        A checked file is under `files/`, even when its message was then not sent.
        """
        attachment = row["sk"]["S"].removeprefix(keys.ATTACHMENT)
        for place in (file_key, upload_key):
            key = place(user, attachment)
            if self.bucket and await self.bucket.head(key) is not None:
                return await aws.call(self.bucket.sign_get, key=key)
        return None

    def _rows(self, partition: str, prefix: str) -> AsyncIterator[Row]:
        values = {":pk": {"S": partition}}
        condition = "pk = :pk"
        if prefix:
            values[":prefix"] = {"S": prefix}
            condition += " AND begins_with(sk, :prefix)"
        return self.table.query(KeyConditionExpression=condition, ExpressionAttributeValues=values)
