"""Items of a thread: listed by creation, each written whole and keeping its place."""

import logging
import time
from collections import OrderedDict
from typing import Any, Final

from chatkit.store import NotFoundError
from chatkit.types import Page, ThreadItem
from pydantic import ValidationError

from functions import aws
from functions.attachments.bucket import spill_prefix
from functions.store import codec, keys
from functions.store.bodies import PLACES, Bodies, version_of
from functions.store.links import Links
from functions.store.paging import bounds
from functions.store.table import Refused, Row, Table
from functions.store.threads import DAY, Threads, expired

logger = logging.getLogger(__name__)

GONE_SECONDS: Final = DAY
"""How long a deleted item's place is kept, for a reader whose cursor names it."""
REMEMBERED_PLACES: Final = 4096

OPTIONAL: Final = (*PLACES, codec.TEMPLATED, "was", "expires")
"""Attributes that an item's row may have; writing it anew removes those it then has not."""


class Conflict(Exception):  # noqa: N818 - what happened, as callers name it
    """What is stored is no longer what the caller expected; load it again."""


class Items:
    def __init__(self, table: Table, threads: Threads, bodies: Bodies, links: Links) -> None:
        self.table = table
        self.threads = threads
        self.bodies = bodies
        self.links = links
        self._places: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def write(
        self, thread_id: str, item: ThreadItem, user: str, *, expected: str | None = None
    ) -> tuple[dict[str, Any], str]:
        """The update that stores an item, and its version; part of a transaction.

        A large body is in S3 when this returns. With `expected`, the update holds
        only while the stored item has that version.
        """
        text, kind = codec.dump(self.links.unsign_item(item, user))
        version = version_of(text)
        prefix = spill_prefix(user, keys.part(thread_id), keys.part(item.id))
        body = await self.bodies.pack(text, prefix)
        attributes = {
            "id": {"S": item.id},
            "version": {"S": version},
            **kind,
            **body,
            **self.threads.expiry(),
        }
        sets = ", ".join(f"#{name} = :{name}" for name in attributes)
        removes = [name for name in OPTIONAL if name not in attributes]
        update: dict[str, Any] = {
            "Key": keys.item_key(user, thread_id, item.id),
            "UpdateExpression": f"SET #position = if_not_exists(#position, :position), {sets} "
            f"REMOVE {', '.join(removes)}",
            "ExpressionAttributeNames": {f"#{name}": name for name in [*attributes, "position"]},
            "ExpressionAttributeValues": {
                ":position": {"S": keys.position(keys.stamp(item.created_at), item.id)},
                **{f":{name}": value for name, value in attributes.items()},
            },
        }
        if expected is not None:
            update["ConditionExpression"] = "#version = :expected"
            update["ExpressionAttributeValues"][":expected"] = {"S": expected}
        return update, version

    async def save(
        self, thread_id: str, item: ThreadItem, user: str, *, expected: str | None = None
    ) -> str:
        """Store an item and put its thread at the top, atomically; returns the item's version."""
        update, version = await self.write(thread_id, item, user, expected=expected)
        touch = self.threads.touch(thread_id, user, item.created_at)
        try:
            await self.table.transact([{"Update": touch}, {"Update": update}])
        except Refused as refused:
            if 0 in refused.failed:
                raise NotFoundError(f"Thread {thread_id} not found") from None
            raise Conflict(f"Item {item.id} was changed meanwhile") from None
        return version

    async def load(self, thread_id: str, item_id: str, user: str) -> tuple[ThreadItem, str]:
        thread, row = await self.table.get_many(
            [keys.thread_key(user, thread_id), keys.item_key(user, thread_id, item_id)]
        )
        if thread is None or row is None or expired(thread) or not _present(row):
            raise NotFoundError(f"Item {item_id} not found in thread {thread_id}")
        item = await self._read(row, user)
        if item is None:
            raise NotFoundError(f"Item {item_id} in thread {thread_id} cannot be read")
        return item, row["version"]["S"]

    async def delete(self, thread_id: str, item_id: str, user: str) -> None:
        """Remove an item's content at once, and its place a day later; unknown ids are fine."""
        key = keys.item_key(user, thread_id, item_id)
        feedback = keys.key(key["pk"]["S"], keys.FEEDBACK + keys.part(item_id))
        await aws.together(self._blank(key), self.table.delete(feedback))

    async def _blank(self, key: keys.Key) -> None:
        removed = ", ".join(["#position", "#version", codec.TEMPLATED, *PLACES])
        try:
            await self.table.update(
                key,
                f"SET was = #position, expires = :expires REMOVE {removed}",
                ConditionExpression="attribute_exists(#position)",
                ExpressionAttributeNames={"#position": "position", "#version": "version"},
                ExpressionAttributeValues={":expires": {"N": str(int(time.time()) + GONE_SECONDS)}},
            )
        except Refused:
            return

    async def page(
        self, thread_id: str, after: str | None, limit: int, order: str, user: str
    ) -> Page[ThreadItem]:
        """One page; empty when the thread is not there. One round trip, or two for a cursor
        that this process did not hand out itself.
        """
        partition = keys.thread_partition(user, thread_id)
        start = None if after is None else self._places.get((partition, after))
        if after is None or start is not None:
            exists, page = await aws.together(
                self.threads.exists(thread_id, user),
                self.read_page(thread_id, start, limit, order, user),
            )
            return page if exists else Page()
        exists, row = await aws.together(
            self.threads.exists(thread_id, user),
            self.table.get(keys.item_key(user, thread_id, after)),
        )
        if not exists:
            return Page()
        if row is None:
            raise NotFoundError(f"Item {after} not found")
        place = row.get("position") or row["was"]
        return await self.read_page(thread_id, place["S"], limit, order, user)

    async def read_page(
        self, thread_id: str, start: str | None, limit: int, order: str, user: str
    ) -> Page[ThreadItem]:
        """One page behind a position, whether or not the thread is there."""
        partition = keys.thread_partition(user, thread_id)
        rows: list[Row] = []
        items: list[ThreadItem] = []
        last: Row | None = None
        async for row in self.table.query(**bounds(partition, order, start, limit)):
            if expired(row):
                continue
            rows.append(row)
            if len(items) + len(rows) <= limit:
                continue
            # A row past the page: turn what came before into items, and see whether it is full.
            read = await aws.together(*(self._read(found, user) for found in rows))
            for found, item in zip(rows, read, strict=True):
                if item is None:
                    continue
                if len(items) == limit:
                    after = items[-1].id
                    self._remember(partition, after, last)
                    return Page(data=items, has_more=True, after=after)
                items.append(item)
                last = found
            rows = []
        read = await aws.together(*(self._read(found, user) for found in rows))
        items += [item for item in read if item is not None]
        return Page(data=items)

    def _remember(self, partition: str, item_id: str, row: Row | None) -> None:
        """Positions are set once, so the next page need not look its cursor up."""
        if row is None:
            return
        self._places[partition, item_id] = row["position"]["S"]
        self._places.move_to_end((partition, item_id))
        if len(self._places) > REMEMBERED_PLACES:
            self._places.popitem(last=False)

    async def _read(self, row: Row, user: str) -> ThreadItem | None:
        """The item in a row; `None`, with a warning, for one that this version cannot read."""
        try:
            item = codec.load(await self.bodies.unpack(row), row)
        except (ValidationError, LookupError) as error:
            logger.warning(
                "item skipped: this version cannot read it",
                extra={"item_id": row["id"]["S"], "reason": type(error).__name__},
            )
            return None
        return await self.links.sign_item(item, user)


def _present(row: Row) -> bool:
    return "position" in row and not expired(row)
