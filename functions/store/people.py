"""Everything of one person: to hand over, and to remove."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any, Final

from .. import aws
from ..attachments import schema as files
from ..attachments.schema import file_key, upload_key, voice_prefix
from ..aws.bucket import Bucket
from ..aws.keys import digest
from . import attachment_records, keys
from .bodies import PLACES
from .items import Items
from .links import Links
from .purge import Purge
from .snapshots import Snapshot
from .table import Row, Table
from .threads import Threads, expired

logger = logging.getLogger(__name__)

PREFIXES: Final = (files.UPLOADS, files.VOICE, files.FILES, files.IMAGES, files.SPILL)
THREADS: Final = (keys.THREAD, keys.GONE)
"""Threads, and those that are gone but may have left something."""


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
        """Threads first, so that no run can write to them any more; then the rest.

        Also those that were deleted before: a purge may have broken off, or is still to come.
        """
        partition = keys.user_partition(user)
        while threads := [row for prefix in THREADS async for row in self._rows(partition, prefix)]:
            for row in threads:
                kind, mark, part = row["sk"]["S"].partition("#")
                if kind + mark == keys.THREAD:
                    await self.threads.delete(row["id"]["S"], user)
                await self.purge.thread(f"{partition}#T#{part}")
        for pk in (partition, keys.quota_partition(user)):
            rows = [
                row
                async for row in self._rows(pk, "")
                # One that has come meanwhile: without it, nothing would lead to its items.
                if not row["sk"]["S"].startswith(THREADS)
            ]
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
        living: set[str] = set()
        past: set[str] = set()
        async for row in self._rows(partition, keys.THREAD):
            over = expired(row)
            (past if over else living).add(row["sk"]["S"].removeprefix(keys.THREAD))
            if over:
                continue
            snapshot = Snapshot.from_row(row)
            fields = {name: json.loads(text) for name, text in snapshot.fields.items()}
            metadata = {name: json.loads(text) for name, text in snapshot.metadata.items()}
            yield {"type": "thread", "thread": {**fields, "metadata": metadata}}
            async for below in self._below(user, row["id"]["S"]):
                yield below
        async for row in self._rows(partition, keys.GONE):
            past.add(row["sk"]["S"].removeprefix(keys.GONE))
        async for row in self._rows(partition, keys.ATTACHMENT):
            over = self._is_over(row.get("thread", {}).get("S"), living, past)
            if over or expired(row) or attachment_records.read(row) is None:
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

    def _is_over(self, thread: str | None, living: set[str], past: set[str]) -> bool:
        """Whether a file's thread is over, as `load_attachment` has it: not one that never was."""
        if thread is None or thread in living:
            return False
        return thread in past or bool(self.threads.retention_seconds)  # TTL leaves nothing to see

    async def _below(self, user: str, thread_id: str) -> AsyncIterator[dict[str, Any]]:
        async for row in self._rows(keys.thread_partition(user, thread_id), ""):
            sort = row["sk"]["S"]
            if sort.startswith(keys.ITEM) and any(place in row for place in PLACES):
                item = await self._item(row, user)
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

    async def _item(self, row: Row, user: str) -> Any | None:
        """An item as it was stored, of any type, its links signed; `None`, with a warning,
        without its body.
        """
        try:
            text, _ = await self.items.text(row)
            item = json.loads(text)
        except LookupError as error:
            logger.warning(
                "item left out: it cannot be read here",
                extra={"item_id": row["id"]["S"], "reason": type(error).__name__},
            )
            return None
        await self._sign(item.get("image"), "url", user)
        for attachment in item.get("attachments") or []:
            await self._sign(attachment, "preview_url", user)
        return item

    async def _sign(self, part: Any, name: str, user: str) -> None:
        """Sign a link in place, if it is one that the store keeps unsigned."""
        if isinstance(part, dict) and isinstance(part.get(name), str):
            part[name] = await self.links.sign(part[name], user)

    async def _link(self, user: str, row: Row) -> str | None:
        """A link to a file's bytes; `None` when they never came, or lie in another store.

        A file that was checked is kept, also when the message was then never sent.
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
