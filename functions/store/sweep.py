"""A sweep: removes rows and objects that nothing points to, such as a crash may leave.

These are the rows and objects of threads that no longer exist, and objects older than a day that no
row names. A sweep reads the whole table (half a read unit for each 4 KB) and lists the whole bucket
(one request for each 1,000 objects), so run it by hand or once a month.
"""

import time
from dataclasses import dataclass
from typing import Any, Final

from .. import aws
from ..attachments import schema as files
from ..attachments.schema import file_key
from ..aws.bucket import Bucket
from . import keys
from .bodies import SPILL
from .items import IMAGE
from .purge import Purge
from .table import Row, Table

MIN_AGE_SECONDS: Final = 24 * 3600
"""A younger object may belong to a write that has not finished."""


@dataclass(frozen=True)
class Swept:
    """How many rows and objects were removed."""

    rows: int
    objects: int


async def sweep(table: Table, bucket: Bucket | None, purge: Purge) -> Swept:
    # List the objects before reading the table: the row of a listed object may come later.
    suspects = await _old_objects(bucket) if bucket else []
    threads: set[str] = set()
    partitions: set[str] = set()
    named: set[str] = set()
    async for row in _scan(table):
        _note(row, threads, partitions, named)
    removed = 0
    for partition in sorted(partitions - threads):
        removed += await purge.thread(partition)
    orphans = [key for key in suspects if key not in named]
    if bucket:
        await bucket.delete(*orphans)
    return Swept(removed, len(orphans))


def _note(row: Row, threads: set[str], partitions: set[str], named: set[str]) -> None:
    partition, sort = row["pk"]["S"], row["sk"]["S"]
    named.update(row[name]["S"] for name in (SPILL, IMAGE) if name in row)
    if "#T#" in partition:
        if sort != keys.TOMBSTONE:
            partitions.add(partition)
    elif sort.startswith(keys.THREAD):
        threads.add(f"{partition}#T#{sort.removeprefix(keys.THREAD)}")
    elif sort.startswith(keys.GONE):
        partitions.add(f"{partition}#T#{sort.removeprefix(keys.GONE)}")
    elif sort.startswith(keys.ATTACHMENT):
        user = partition.removeprefix("U#")
        named.add(file_key(user, sort.removeprefix(keys.ATTACHMENT)))


async def _old_objects(bucket: Bucket) -> list[str]:
    before = time.time() - MIN_AGE_SECONDS
    return [
        key
        for prefix in (files.SPILL, files.FILES, files.IMAGES)
        async for key, modified in bucket.list(prefix)
        if modified < before
    ]


async def _scan(table: Table) -> Any:
    start: dict[str, Any] = {}
    while True:
        page = await aws.call(
            table.client.scan,
            TableName=table.name,
            ProjectionExpression=f"pk, sk, {SPILL}, {IMAGE}",
            **start,
        )
        for row in page["Items"]:
            yield row
        if "LastEvaluatedKey" not in page:
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
