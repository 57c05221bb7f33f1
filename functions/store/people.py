"""Everything that one user owns: export and deletion."""

import asyncio
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
from .counters import Counters
from .expiry import DAY, expired
from .items import Items
from .links import Links
from .purge import Purge
from .runs import ask_to_stop, running_in
from .schema import INDEX
from .snapshots import Snapshot
from .table import Row, Table
from .threads import Threads

logger = logging.getLogger(__name__)

PREFIXES: Final = (files.UPLOADS, files.VOICE, files.FILES, files.IMAGES, files.SPILL)
THREADS: Final = (keys.THREAD, keys.GONE)
"""Rows of threads, and of deleted threads that may still have rows or objects."""

STOP_SECONDS: Final = 5.0
"""How long a deletion waits for answers that are being written. They stop within 1.5 s."""
STOP_PAUSE: Final = 0.3


def prefixes(user: str) -> list[str]:
    """The prefixes of the bucket under which all objects of a user lie. `user` is a key part."""
    return [f"{prefix}{digest(user)}/" for prefix in PREFIXES]


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

        Includes threads that were deleted before, because their purge may not have finished. The
        counters stay until they expire, or limits could be reset by deleting oneself.
        """
        partition = keys.user_partition(user)
        await self._stop_answers(user)
        while threads := [row for prefix in THREADS async for row in self._rows(partition, prefix)]:
            for row in threads:
                kind, mark, part = row["sk"]["S"].partition("#")
                if kind + mark == keys.THREAD:
                    await self.threads.delete(row["id"]["S"], user)
                await self.purge.thread(f"{partition}#T#{part}")
        rows = [
            row
            async for row in self._rows(partition, "")
            # A thread that is new since then stays: without its row, nobody finds its items.
            # The time of a sign-out stays, or else the tokens from before it would count again.
            if not row["sk"]["S"].startswith((*THREADS, keys.SIGNED_OUT))
        ]
        # A file may name a thread that was never saved: no thread's purge removes its link row.
        links = [
            keys.key(f"{partition}#T#{row['thread']['S']}", row["sk"]["S"])
            for row in rows
            if row["sk"]["S"].startswith(keys.ATTACHMENT) and "thread" in row
        ]
        await self.table.delete_many(links)
        await self.table.delete_many(keys.key(partition, row["sk"]["S"]) for row in rows)
        if self.bucket:
            for prefix in prefixes(user):
                await self.bucket.delete_prefix(prefix)
        await self._tell(user)

    async def _tell(self, user: str) -> None:
        """Tell whoever reads the table's stream, by a row that is there for a moment only.

        TTL removes it where this process ends between the two writes.
        """
        deleted = keys.deleted_key(user)
        await self.table.put({**deleted, "expires": {"N": str(int(time.time()) + DAY)}})
        await self.table.delete(deleted)

    async def _stop_answers(self, user: str) -> None:
        """Ask answers that are being written to stop, and wait until they have.

        One that has not stopped after `STOP_SECONDS` is no longer waited for: it may have crashed.
        """
        until = time.monotonic() + STOP_SECONDS
        asked: set[str] = set()
        while True:
            rows = [row async for row in self._rows(keys.user_partition(user), keys.THREAD)]
            running = {run.run_id for row in rows if (run := running_in(row))}
            for run_id in running - asked:
                await ask_to_stop(self.table, keys.run_key(user, run_id))
            asked |= running
            if not running or time.monotonic() > until:
                return
            await asyncio.sleep(STOP_PAUSE)

    async def partitions(self, user: str) -> set[str]:
        """The partitions that a user's rows lie in, as far as rows of theirs name them."""
        own = keys.user_partition(user)
        found = {own, keys.counters_partition(user)}
        async for row in self._rows(own, ""):
            kind, mark, part = row["sk"]["S"].partition("#")
            if kind + mark in THREADS:
                found.add(f"{own}#T#{part}")
            elif kind + mark == keys.ATTACHMENT and "thread" in row:
                found.add(f"{own}#T#{row['thread']['S']}")
        return found

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
        if numbers := await Counters(self.table, keys.counters_key(user)).read():
            yield {"type": "counters", "numbers": numbers}
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
        partition = keys.thread_partition(user, thread_id)
        async for row in self._query(partition, IndexName=INDEX):  # in the order of the page
            if row["sk"]["S"].startswith(keys.ITEM) and any(place in row for place in PLACES):
                item = await self._item(row, user)
                if item is not None:
                    yield {"type": "item", "thread_id": thread_id, "item": item}
        for condition, bound in (("sk < :bound", keys.ITEM), ("sk > :bound", keys.AFTER_ITEMS)):
            async for row in self._query(partition, condition, {":bound": {"S": bound}}):
                if entry := _beside_items(row, thread_id):
                    yield entry

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
        if not prefix:
            return self._query(partition)
        values = {":prefix": {"S": prefix}}
        return self._query(partition, "begins_with(sk, :prefix)", values)

    def _query(
        self, partition: str, condition: str = "", values: Row | None = None, **more: Any
    ) -> AsyncIterator[Row]:
        return self.table.query(
            KeyConditionExpression=" AND ".join(filter(None, ["pk = :pk", condition])),
            ExpressionAttributeValues={":pk": {"S": partition}, **(values or {})},
            **more,
        )


def _beside_items(row: Row, thread_id: str) -> dict[str, Any] | None:
    """A row of a thread that is no item, for an export; `None` for one that has nothing to say."""
    kind = row["sk"]["S"].partition("#")[0] + "#"
    if kind == keys.RECORD:
        value = json.loads(row["body"]["S"])
        kept = {"kind": row["kind"]["S"], "value": value}
        return {"type": "record", "thread_id": thread_id, **kept}
    if kind == keys.ENDED and not expired(row):
        return {"type": "run", "thread_id": thread_id, "run": json.loads(row["body"]["S"])}
    if kind == keys.FEEDBACK and "kind" in row:
        mark = {"item_id": row["item"]["S"], "kind": row["kind"]["S"], "at": row["at"]["S"]}
        return {"type": "feedback", "thread_id": thread_id, **mark}
    return None
