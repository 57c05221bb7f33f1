"""A sweep: removes rows and objects that nothing points to, such as a crash may leave.

These are the rows and objects of threads that no longer exist, and objects that no row names and
that were older than a day when the sweep began. It works in two steps:

1. It reads the keys of all rows, a page at a time. Rows of a thread that does not exist are purged.
   Of the objects that rows name it keeps a hash of 8 bytes each.
2. It lists the objects and removes those whose hash it does not have. An object is written before
   its row, and within minutes of it. So the row of an object that was a day old when the first step
   began was there to be read. When an orphan has the hash of another object, it stays.

A sweep can stop after any page and be continued. `SWEEP` is a partition that belongs to nobody: its
row `PASS` says how far the sweep is and who works on it until when, and rows `NAMED#` have hashes.
So there are never two at work, and a sweep that was killed goes on from the last `CHECKPOINT`.
"""

import asyncio
import json
import logging
import secrets
import time
from array import array
from bisect import bisect_left
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from hashlib import blake2b
from itertools import groupby
from typing import Any, Final

from .. import aws
from ..attachments import schema as files
from ..attachments.schema import file_key
from ..aws import owner_sessions
from ..aws.bucket import Bucket
from . import keys
from .bodies import SPILL
from .items import IMAGE
from .purge import Purge
from .schema import TTL_ATTRIBUTE
from .table import ConditionFailed, Row, Table

logger = logging.getLogger(__name__)

MIN_AGE_SECONDS: Final = 24 * 3600
"""A younger object may belong to a write that has not finished."""
ATTRIBUTES: Final = ("pk", "sk", SPILL, IMAGE)
"""All that a sweep reads of a row. The role of the function allows no more."""
PAGE_ROWS: Final = 1000
PAGE_OBJECTS: Final = 1000
PAUSE: Final = 0.5
"""Seconds after each page of rows. A page has a megabyte at most, which is 128 read units, so a
sweep takes some 250 units a second of the 3,000 that one partition of the table has:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"""
CHECKPOINT: Final = 60
"""Seconds of work that a killed sweep does again."""
LEASE: Final = 1800
"""Seconds after its last checkpoint until another one may go on: longer than a function may run,
and than the purge of a thread takes."""
HASHES: Final = 40_000
"""Hashes in a row: 320 KB of the 400 KB that a row may have."""
HASHES_KEPT: Final = 30 * 24 * 3600
"""Seconds after which TTL removes hashes of a sweep that nobody has continued."""
PREFIXES: Final = tuple(sorted((files.SPILL, files.FILES, files.IMAGES)))

_PASS: Final = keys.key(keys.SWEEP, "PASS")
_MINE: Final = "holder = :me"


class BusyError(Exception):
    """Another sweep of this table is at work."""


@dataclass
class Swept:
    """How far a sweep is, and what it has found so far.

    `began` and `finished` are Unix times. `read` and `listed` count the rows and objects that it
    has looked at; `rows` and `objects` those that it has removed, and `threads` are the deleted
    threads whose removal it has finished. `failed` are those that could not be removed.
    """

    began: float = 0.0
    finished: float | None = None
    read: int = 0
    listed: int = 0
    rows: int = 0
    objects: int = 0
    threads: int = 0
    failed: int = 0
    after_row: tuple[str, str] | None = None
    """Partition and sort key of the last row that was read."""
    all_read: bool = False
    after_object: str = ""
    parts: int = 0
    """The rows with hashes."""


class Sweep:
    """Sweeps one table and its bucket.

    `table` and `bucket` are asked for what belongs to nobody or to everybody, and `purge` for one
    owner's rows and objects.
    """

    def __init__(
        self,
        table: Table,
        bucket: Bucket | None,
        purge: Purge,
        *,
        pause: float = PAUSE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._table = table
        self._bucket = bucket
        self._purge = purge
        self._pause = pause
        self._clock = clock
        self._me = secrets.token_hex(8)
        self._until = 0.0
        self._saved_at = 0.0
        self._swept = Swept()
        self._hashes: array[int] = array("Q")
        """Those that no row has yet."""

    async def run(self, seconds: float, *, again_after: float = 0.0) -> Swept:
        """Work for so many seconds, and the time of one request or one purge more.

        Goes on with the sweep that has not finished. When the last one has finished, it begins a
        new one, if `again_after` seconds have passed since that one began. Raises `BusyError` when
        another one is at work.
        """
        now = self._clock()
        self._until = now + seconds
        self._swept = await self._take(now)
        try:
            if self._swept.finished is not None and now >= self._swept.began + again_after:
                self._swept = Swept(began=now)
            if self._swept.finished is None:
                await self._work()
        finally:
            await self._release()
        return self._swept

    async def _work(self) -> None:
        self._saved_at = self._clock()
        if not self._swept.all_read:
            await self._rows()
        if self._swept.all_read and await self._objects():
            self._swept.finished = self._clock()
            self._hashes = array("Q")
        await self._save()
        if self._swept.finished is not None:
            parts = [_part(number) for number in range(self._swept.parts)]
            await self._table.delete_many(parts)

    @property
    def _over(self) -> bool:
        return self._clock() >= self._until

    async def _rows(self) -> None:
        """Read on until all rows are read, or the time is over."""
        swept = self._swept
        checked = ""
        while not self._over:
            page = await self._page()
            suspects = [p for p in self._note(page["Items"]) if p != checked]
            for partition in await self._without_thread(suspects):
                await self._remove(partition)
                if self._over:
                    return
                await self._save_now_and_then()
            checked = suspects[-1] if suspects else checked
            swept.read += len(page["Items"])
            last = page.get("LastEvaluatedKey")
            if last is None:
                swept.all_read = True
                return
            swept.after_row = (last["pk"]["S"], last["sk"]["S"])
            await self._save_now_and_then()
            await asyncio.sleep(self._pause)

    async def _remove(self, partition: str) -> None:
        """Purge a thread. When that fails, the others are purged all the same."""
        swept = self._swept
        try:
            with owner_sessions.acting_for(keys.user_of(partition)):
                removed = await self._purge.thread(partition)
        except Exception:
            logger.exception("a deleted thread could not be removed")
            swept.failed += 1
        else:
            swept.rows += removed
            swept.threads += removed > 0

    async def _page(self) -> dict[str, Any]:
        start = {}
        if self._swept.after_row is not None:
            start["ExclusiveStartKey"] = keys.key(*self._swept.after_row)
        page: dict[str, Any] = await aws.call(
            self._table.client.scan,
            TableName=self._table.name,
            Select="SPECIFIC_ATTRIBUTES",
            ProjectionExpression=", ".join(ATTRIBUTES),
            Limit=PAGE_ROWS,
            **start,
        )
        return page

    def _note(self, rows: list[Row]) -> list[str]:
        """Keep what the rows name. Returns the partitions of their threads, each once."""
        partitions: dict[str, None] = {}
        for row in rows:
            partition, sort = row["pk"]["S"], row["sk"]["S"]
            if "#T#" in partition:
                if sort != keys.TOMBSTONE:
                    partitions[partition] = None
            elif sort.startswith(keys.GONE):
                partitions[f"{partition}#T#{sort.removeprefix(keys.GONE)}"] = None
            self._hashes.extend(map(_hash, objects_of(row)))
        return list(partitions)

    async def _without_thread(self, partitions: list[str]) -> list[str]:
        found = []
        for start in range(0, len(partitions), 100):
            some = partitions[start : start + 100]
            rows = await self._table.get_many(
                [keys.thread_of(partition) for partition in some], ProjectionExpression="pk, sk"
            )
            found += [p for p, row in zip(some, rows, strict=True) if row is None]
        return found

    async def _objects(self) -> bool:
        """List on. Returns whether all objects are listed, which they are without a bucket."""
        if self._bucket is None:
            return True
        swept = self._swept
        named = await self._named()
        before = swept.began - MIN_AGE_SECONDS
        page: list[tuple[str, float]] = []

        async def settle() -> None:
            orphans = [key for key, modified in page if modified < before and not _in(named, key)]
            # With isolation=session one session reaches the objects of one folder.
            for folder, below in groupby(orphans, lambda key: key.split("/")[1]):
                with owner_sessions.acting_for_folder(folder):
                    assert self._purge.bucket is not None  # noqa: S101 - there is a bucket
                    await self._purge.bucket.delete(*below)
            swept.objects += len(orphans)
            swept.listed += len(page)
            if page:
                swept.after_object = page[-1][0]
            page.clear()
            await self._save_now_and_then()

        for prefix in PREFIXES:
            async for entry in self._bucket.list(prefix, after=swept.after_object):
                page.append(entry)
                if len(page) >= PAGE_OBJECTS:
                    await settle()
                    if self._over:
                        return False
            await settle()
        return True

    async def _named(self) -> "array[int]":
        """The hashes of all objects that rows name, in order. 8 MB for a million."""
        named = array("Q", self._hashes)
        for number in range(self._swept.parts):
            row = await self._table.get(_part(number))
            if row is None:
                raise LookupError("a row with hashes is gone")
            named.frombytes(bytes(row["hashes"]["B"]))
        return array("Q", sorted(named))

    async def _take(self, now: float) -> Swept:
        """Take the lease. Returns how far the sweep is."""
        try:
            row = await self._table.update(
                _PASS,
                "SET holder = :me, held_until = :until",
                ConditionExpression="attribute_not_exists(held_until) OR held_until < :now",
                ExpressionAttributeValues={
                    ":me": {"S": self._me},
                    ":until": {"N": f"{now + LEASE:.3f}"},
                    ":now": {"N": f"{now:.3f}"},
                },
                ReturnValues="ALL_NEW",
            )
        except ConditionFailed:
            raise BusyError from None
        if "body" not in row:
            return Swept(began=now)
        written = json.loads(row["body"]["S"])
        known = {each.name: written[each.name] for each in fields(Swept) if each.name in written}
        if known["after_row"] is not None:
            known["after_row"] = tuple(known["after_row"])
        return Swept(**known)

    async def _save_now_and_then(self) -> None:
        if self._clock() >= self._saved_at + CHECKPOINT:
            await self._save()

    async def _save(self) -> None:
        """Write the hashes, then how far the sweep is, and renew the lease.

        Raises `ConditionFailed` when another one has it.
        """
        swept, now = self._swept, self._clock()
        expires = int(now) + HASHES_KEPT
        parts = swept.parts
        for start in range(0, len(self._hashes), HASHES):
            packed = self._hashes[start : start + HASHES].tobytes()
            await self._table.put(
                {
                    **_part(parts),
                    "hashes": {"B": packed},
                    TTL_ATTRIBUTE: {"N": str(expires)},
                }
            )
            parts += 1
        swept.parts = parts
        self._hashes = array("Q")
        await self._table.update(
            _PASS,
            "SET body = :body, held_until = :until",
            ConditionExpression=_MINE,
            ExpressionAttributeValues={
                ":body": {"S": json.dumps(asdict(swept))},
                ":until": {"N": f"{now + LEASE:.3f}"},
                ":me": {"S": self._me},
            },
        )
        self._saved_at = now

    async def _release(self) -> None:
        with suppress(ConditionFailed):  # nobody has waited for longer than the lease
            await self._table.update(
                _PASS,
                "REMOVE holder, held_until",
                ConditionExpression=_MINE,
                ExpressionAttributeValues={":me": {"S": self._me}},
            )


def objects_of(row: Row) -> list[str]:
    """The keys of the objects that a row names. It needs no more of the row than `ATTRIBUTES`."""
    partition, sort = row["pk"]["S"], row["sk"]["S"]
    named = [row[name]["S"] for name in (SPILL, IMAGE) if name in row]
    if sort.startswith(keys.ATTACHMENT) and "#T#" not in partition:
        user = partition.removeprefix(keys.USER)
        named.append(file_key(user, sort.removeprefix(keys.ATTACHMENT)))
    return named


def _part(number: int) -> keys.Key:
    return keys.key(keys.SWEEP, f"NAMED#{number:08d}")


def _hash(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest())


def _in(hashes: "array[int]", key: str) -> bool:
    wanted = _hash(key)
    place = bisect_left(hashes, wanted)
    return place < len(hashes) and hashes[place] == wanted
