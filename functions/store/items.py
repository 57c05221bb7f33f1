"""Items of a thread: listed by creation, and by when they were first written where that is equal.
Saving one again writes it whole, at the same position.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from typing import Any, Final

from chatkit.store import NotFoundError
from chatkit.types import Page, ThreadItem
from pydantic import ValidationError

from .. import aws
from ..attachments.schema import spill_prefix
from ..aws.keys import part
from . import codec, keys
from .bodies import (
    BODY,
    PLACES,
    PLAIN_BYTES,
    SPILL,
    Bodies,
    NoBucketError,
    spilled,
    version_of,
)
from .expiry import DAY, expired
from .links import Links
from .paging import MAX_PAGE_BYTES, bounds
from .table import ConditionFailed, Row, Table
from .threads import Threads

logger = logging.getLogger(__name__)

DELETED_SECONDS: Final = DAY
"""How long the position of a deleted item is kept, for a reader whose cursor names the item."""
MAX_REMEMBERED: Final = 4096
"""Positions of cursors that one process remembers."""

LARGE_AT_ONCE: Final = 8
"""Bodies that may be megabytes and are read in parallel."""

TYPE: Final = "type"
"""The item's type, so that the table's stream can be filtered by it. Rows that version 0.1 wrote
have none."""
IMAGE: Final = "image"
"""The key of a generated image's object, which is removed with the item."""
OPTIONAL: Final = (*PLACES, codec.TEMPLATED, IMAGE, "was", "expires")
"""Attributes that an item's row may have. Saving the item removes those that it no longer has."""


class Conflict(Exception):  # noqa: N818 - what happened, as callers name it
    """The stored version is not the expected one. Load it again."""


class Items:
    def __init__(self, table: Table, threads: Threads, bodies: Bodies, links: Links) -> None:
        self.table = table
        self.threads = threads
        self.bodies = bodies
        self.links = links
        self._places: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def write(
        self, thread_id: str, item: ThreadItem, user: str
    ) -> tuple[dict[str, Any], str]:
        """The update that stores an item, for a transaction, and the item's version.

        A large body and a generated image are in S3 when this returns.
        """
        linked, image = await self.links.take_image(thread_id, item, user)
        stored = self.links.unsign_item(linked, user)
        text, kind = codec.dump(stored)
        if len(text) <= PLAIN_BYTES:
            codec.check(stored, text, kind)
        else:
            await aws.call(codec.check, item=stored, text=text, attributes=kind)
        if image is not None and self.links.bucket is not None:
            await self.links.bucket.put(*image)
        version = version_of(text)
        prefix = spill_prefix(user, part(thread_id), part(item.id))
        body = await self.bodies.pack(text, prefix)
        attributes = {
            "id": {"S": item.id},
            TYPE: {"S": item.type},
            "version": {"S": version},
            **kind,
            **body,
        }
        if (drawn := self.links.image_of(thread_id, stored, user)) is not None:
            attributes[IMAGE] = {"S": drawn}
        sets = ", ".join(f"#{name} = :{name}" for name in attributes)
        removes = [name for name in OPTIONAL if name not in attributes]
        update: dict[str, Any] = {
            "Key": keys.item_key(user, thread_id, item.id),
            "UpdateExpression": f"SET #position = if_not_exists(#position, :position), {sets} "
            f"REMOVE {', '.join(removes)}",
            "ExpressionAttributeNames": {f"#{name}": name for name in [*attributes, "position"]},
            "ExpressionAttributeValues": {
                ":position": {"S": keys.item_position(item.created_at, item.id)},
                **{f":{name}": value for name, value in attributes.items()},
            },
        }
        return update, version

    async def withdraw(self, update: dict[str, Any]) -> None:
        """Remove the body that `write` put into S3, after its update was not made."""
        await self.bodies.discard(_new_spill(update))

    async def save(
        self, thread_id: str, item: ThreadItem, user: str, *, expected: str | None = None
    ) -> str:
        """Store an item and move its thread to the top, atomically; returns the item's version.

        With `expected`, it is stored only if the stored item has that version.

        A body in S3 that is replaced is removed afterwards. To learn which one that is, the first
        write has the condition that the row points to no object. If that fails, DynamoDB returns
        the row, and the next write has the condition that it still points to the same object.
        This loop ends, because the condition only fails when another write succeeded.
        """
        update, version = await self.write(thread_id, item, user)
        ours = _new_spill(update)
        touch = self.threads.touch(thread_id, user, item.created_at)
        old: str | None = None
        while True:
            try:
                guarded = _guarded(update, old, expected)
                await self.table.transact([{"Update": touch}, {"Update": guarded}])
            except ConditionFailed as failure:
                stored = failure.rows.get(1, {})
                old = spilled(stored)
                if ours is not None and old == ours:
                    # The first answer was lost and botocore sent the request again: it is stored.
                    return version
                if 0 in failure.failed:
                    await self.bodies.discard(ours)
                    raise NotFoundError(f"Thread {thread_id} not found") from None
                if expected is not None and stored.get("version", {}).get("S") != expected:
                    await self.bodies.discard(ours)
                    raise Conflict(f"Item {item.id} is no longer at the expected version") from None
            else:
                await self.bodies.discard(old)
                return version

    async def load(self, thread_id: str, item_id: str, user: str) -> tuple[ThreadItem, str]:
        thread, row = await self.table.get_many(
            [keys.thread_key(user, thread_id), keys.item_key(user, thread_id, item_id)]
        )
        if thread is None or row is None or expired(thread) or "position" not in row:
            raise NotFoundError(f"Item {item_id} not found in thread {thread_id}")
        try:
            item, row = await self._item(row)
        except NoBucketError:
            raise
        except (ValidationError, LookupError):
            raise NotFoundError(f"Item {item_id} in thread {thread_id} cannot be read") from None
        return await self.links.sign_item(item, user), row["version"]["S"]

    async def delete(self, thread_id: str, item_id: str, user: str) -> None:
        """Remove an item's content and feedback now; TTL removes its position a day later.

        Unknown ids are fine. As in `save`, a failed condition tells which objects to remove.
        """
        key = keys.item_key(user, thread_id, item_id)
        feedback = keys.key(key["pk"]["S"], keys.FEEDBACK + part(item_id))
        objects: Row = {}
        while True:
            blank = {"Update": {"Key": key, **_blank(objects)}}
            try:
                await self.table.transact([blank, {"Delete": {"Key": feedback}}])
            except ConditionFailed as failure:
                stored = failure.rows.get(0, {})
                if "position" not in stored:
                    return
                objects = {name: stored[name] for name in (SPILL, IMAGE) if name in stored}
            else:
                await self.bodies.discard(*(each["S"] for each in objects.values()))
                return

    async def page(
        self, thread_id: str, after: str | None, limit: int, order: str, user: str
    ) -> Page[ThreadItem]:
        """One page; empty for an unknown thread.

        One round trip; two when another process returned the cursor; three when this process did
        and the item has been deleted since.
        """
        partition = keys.thread_partition(user, thread_id)
        if after is None:
            exists, page = await aws.together(
                self.threads.exists(thread_id, user),
                self.read_page(thread_id, None, limit, order, user),
            )
            return page if exists else Page()
        known = self._places.get((partition, after))
        if known is not None:
            following: Page[ThreadItem] | None
            exists, following = await aws.together(
                self.threads.exists(thread_id, user),
                self._page_after(partition, known, limit, order, user),
            )
            if not exists:
                return Page()
            if following is not None:
                return following
            self._places.pop((partition, after), None)
        exists, row = await aws.together(
            self.threads.exists(thread_id, user),
            self.table.get(keys.item_key(user, thread_id, after)),
        )
        if not exists:
            return Page()
        if row is None and after:
            raise NotFoundError(f"Item {after} not found")
        # An empty cursor means the first page, as in the SDK's own stores.
        place = (row.get("position") or row["was"])["S"] if row else None
        return await self.read_page(thread_id, place, limit, order, user)

    async def read_page(
        self, thread_id: str, start: str | None, limit: int, order: str, user: str
    ) -> Page[ThreadItem]:
        """One page after position `start`, without a check that the thread exists."""
        partition = keys.thread_partition(user, thread_id)
        query = bounds(partition, order, start, limit, keys.END_OF_ITEMS)
        return await self._page(self.table.query(**query), partition, limit, user)

    async def _page_after(
        self, partition: str, place: str, limit: int, order: str, user: str
    ) -> Page[ThreadItem] | None:
        """One page after the item at `place`; the same query reads that item.

        `None` when the item is no longer at `place`: it was deleted, and perhaps saved again.
        """
        query = bounds(partition, order, place, limit + 1, keys.END_OF_ITEMS)
        at_place = (":low", place) if order == "asc" else (":high", f"{place}\0")
        query["ExpressionAttributeValues"][at_place[0]] = {"S": at_place[1]}
        rows = self.table.query(**query)
        first = await anext(rows, None)
        if first is None or first["position"]["S"] != place:
            return None
        return await self._page(rows, partition, limit, user)

    async def open(
        self, thread_id: str, limit: int, user: str
    ) -> tuple[Row, Callable[[], Coroutine[Any, Any, Page[ThreadItem]]]]:
        """A thread's head, and a function for the page of its newest items, from one query.

        The function fetches bodies from S3. Raises `NotFoundError` when there is no head.
        """
        partition = keys.thread_partition(user, thread_id)
        rows = self.table.query(**bounds(partition, "desc", None, limit + 1))
        head = await anext(rows, None)
        if head is None or head["sk"]["S"] != keys.HEAD:
            raise NotFoundError(f"Thread {thread_id} not found")
        return head, partial(self._page, rows, partition, limit, user)

    async def _page(
        self, found: AsyncIterator[Row], partition: str, limit: int, user: str
    ) -> Page[ThreadItem]:
        """The items in the rows `found`: at most `limit`, of at most `MAX_PAGE_BYTES` together.

        What cannot be read is skipped, so more rows than `limit` may be read. Large bodies are read
        a few at a time, because their size is known only then.
        """
        items: list[ThreadItem] = []
        last: Row | None = None
        left = MAX_PAGE_BYTES
        async for rows in _together(found, lambda: limit + 1 - len(items)):
            read = await aws.together(*(self._read(each, user) for each in rows))
            for source, known in zip(rows, read, strict=True):
                if known is None:
                    continue
                item, size = known
                left -= size
                if items and (len(items) == limit or left < 0):
                    after = items[-1].id
                    self._remember(partition, after, last)
                    return Page(data=items, has_more=True, after=after)
                items.append(item)
                last = source
        return Page(data=items)

    def _remember(self, partition: str, item_id: str, row: Row | None) -> None:
        """Remember a cursor's position, so that the next page needs no request to find it."""
        if row is None:
            return
        self._places[partition, item_id] = row["position"]["S"]
        self._places.move_to_end((partition, item_id))
        if len(self._places) > MAX_REMEMBERED:
            self._places.popitem(last=False)

    async def _read(self, row: Row, user: str) -> tuple[ThreadItem, int] | None:
        """The item in a row, and the bytes of its body; `None`, with a warning in the log, when it
        cannot be read.
        """
        try:
            text, row = await self.text(row)
            item = codec.load(text, row)
        except (ValidationError, LookupError) as error:
            logger.warning(
                "an item was skipped: it cannot be read",
                extra={"item_id": row["id"]["S"], "reason": type(error).__name__},
            )
            return None
        return await self.links.sign_item(item, user), len(text)

    async def _item(self, row: Row) -> tuple[ThreadItem, Row]:
        """An item, and the row that it was read from (see `text`)."""
        text, row = await self.text(row)
        return codec.load(text, row), row

    async def text(self, row: Row) -> tuple[bytes, Row]:
        """An item's body, and the row that it was read from.

        That is a newer row when another write replaced the body in S3 after `row` was read.
        """
        while True:
            try:
                return await self.bodies.unpack(row), row
            except NoBucketError:
                raise
            except LookupError:
                newer = await self.table.get(keys.key(row["pk"]["S"], row["sk"]["S"]))
                if newer is None or "position" not in newer or spilled(newer) == spilled(row):
                    raise
                row = newer


async def _together(
    found: AsyncIterator[Row], wanted: Callable[[], int]
) -> AsyncIterator[list[Row]]:
    """The rows in groups to read in parallel: `wanted` of them, and at most `LARGE_AT_ONCE` whose
    bodies are not plain text.
    """
    rows: list[Row] = []
    large = 0
    async for row in found:
        rows.append(row)
        large += BODY not in row
        if len(rows) == wanted() or large == LARGE_AT_ONCE:
            yield rows
            rows, large = [], 0
    if rows:
        yield rows


def _blank(objects: Row) -> dict[str, Any]:
    """The update that removes everything of an item but its position.

    Its condition: the row points to these objects and no others.
    """
    same = [
        f"{name} = :{name}" if name in objects else f"attribute_not_exists({name})"
        for name in (SPILL, IMAGE)
    ]
    removed = ["#position", "#version", "#type", codec.TEMPLATED, IMAGE, *PLACES]
    return {
        "UpdateExpression": f"SET was = #position, expires = :expires REMOVE {', '.join(removed)}",
        "ConditionExpression": " AND ".join(["attribute_exists(#position)", *same]),
        "ExpressionAttributeNames": {
            "#position": "position",
            "#version": "version",
            "#type": TYPE,
        },
        "ExpressionAttributeValues": {
            ":expires": {"N": str(int(time.time()) + DELETED_SECONDS)},
            **{f":{name}": value for name, value in objects.items()},
        },
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _guarded(update: dict[str, Any], old: str | None, expected: str | None) -> dict[str, Any]:
    """The update with the condition that the row points to `old`, or to no object (`None`).

    With `expected`, also that the stored item has this version.
    """
    values = dict(update["ExpressionAttributeValues"])
    condition = "attribute_not_exists(spill)"
    if old is not None:
        condition = "spill = :old"
        values[":old"] = {"S": old}
    if expected is not None:
        condition += " AND #version = :expected"
        values[":expected"] = {"S": expected}
    return {
        **update,
        "ConditionExpression": condition,
        "ExpressionAttributeValues": values,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _new_spill(update: dict[str, Any]) -> str | None:
    """The key of the object that an update makes its row point to, if any."""
    key: str | None = update.get("ExpressionAttributeValues", {}).get(f":{SPILL}", {}).get("S")
    return key
