"""Waits until documents are in the index, or known not to be readable."""

import asyncio
import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from functions.aws.bucket import Bucket
from functions.knowledge.current import CACHED_SECONDS, INDEXES
from functions.knowledge.documents import DocumentRow, Place
from infra.cli.knowledge import Library
from infra.cli.progress import Progress
from infra.cli.terminal import say
from infra.cli.typed import CommandError

PAUSE: Final = 2.0
"""Seconds between two looks at the documents' states."""

PATIENCE: Final = 40 * 60
"""Seconds without any progress until the command gives up. A document whose reading was killed is
read again after 16 minutes, and reading may take 15."""

SEND_BATCH: Final = 10
"""Messages that `SendMessageBatch` takes."""

Wait = Callable[[float], None]


@dataclass(frozen=True)
class Wanted:
    """What the row of a document says once it is done: this version, if it is known, and a later
    moment than before.
    """

    version: str = ""
    after: float = 0.0

    def met_by(self, row: DocumentRow | None, index: str) -> bool:
        return (
            row is not None
            and row.state != "indexing"
            and index in row.indexes
            and row.updated_at > self.after
            and self.version in {"", row.version}
        )


def tenants_of(keys: Iterable[str]) -> set[str | None]:
    """The tenants whose documents these are, as key parts."""
    return {place.tenant for key in keys if (place := Place.of(key))}


def send(library: Library, keys: Mapping[str, bool]) -> None:
    """Have documents ingested; those with True also when they have not changed."""
    sqs = library.client("sqs")
    said = [json.dumps({"key": key, "force": force}) for key, force in keys.items()]
    for start in range(0, len(said), SEND_BATCH):
        entries = [
            {"Id": str(number), "MessageBody": body}
            for number, body in enumerate(said[start : start + SEND_BATCH])
        ]
        if sqs.send_message_batch(QueueUrl=library.queue, Entries=entries).get("Failed"):
            raise CommandError("SQS did not take all documents. Run the command again.")


def settled(
    library: Library,
    wanted: Mapping[str, Wanted],
    gone: Collection[str] = (),
    *,
    index: str | None = None,
    wait: Wait = time.sleep,
) -> dict[str, DocumentRow]:
    """Wait until every document is as `wanted`, and those that are `gone` have no row.

    `index` is the one that has to hold them, by default the one that is searched. Returns the rows
    of the `wanted` ones. Raises `CommandError` when nothing has moved for `PATIENCE`.
    """
    keys = [*wanted, *gone]
    tenants = tenants_of(keys)
    progress = Progress("Reading documents", len(keys))
    told: set[str] = set()
    idle, before = 0.0, -1
    try:
        while True:
            rows = library.states(tenants) if keys else {}
            current = library.read_current() if index is None else None
            held = index or (current.index.index if current else "")
            open_ = [key for key, want in wanted.items() if not want.met_by(rows.get(key), held)]
            open_ += [key for key in gone if key in rows]
            done = len(keys) - len(open_)
            if keys:
                progress.show(done)
            for key in open_:
                row = rows.get(key)
                if row and row.error and row.state == "indexing" and row.error not in told:
                    told.add(row.error)
                    progress.end()
                    say(f"  {key}: {row.error} in the last attempt, which will be made again")
            if not open_:
                return {key: rows[key] for key in wanted}
            idle = 0.0 if done > before else idle + PAUSE
            before = max(before, done)
            if idle >= PATIENCE:
                raise CommandError(
                    f"{len(open_)} documents are still not read, and nothing has happened for "
                    f"{PATIENCE // 60} minutes. make knowledge lists them."
                )
            wait(PAUSE)
    finally:
        progress.end()


def reindex(library: Library, *, wait: Wait = time.sleep) -> dict[str, DocumentRow]:
    """Read all documents into the index that the settings ask for, search that one, and remove
    every other. Safe to repeat. Returns the documents' rows.
    """
    current = library.read_current()
    keys = [key for key in library.objects() if Place.of(key)]
    if current is None and not keys:
        say("There are no documents, and so no index.")
        return {}
    before = library.states(tenants_of(keys))
    target = library.wanted.index
    building = asyncio.run(library.current.build(library.wanted)).all[-1]
    again = current is None or current.index == library.wanted
    # An index of that name may have been there before, and been removed.
    wanted = {
        key: Wanted(after=row.updated_at if again and (row := before.get(key)) else building.made)
        for key in keys
    }
    send(library, dict.fromkeys(keys, again))
    rows = settled(library, wanted, index=target, wait=wait)
    if asyncio.run(library.current.switch()):
        say("The new index is searched now, everywhere within a minute.")
        wait(CACHED_SECONDS)
    _remove_others(library)
    return rows


def _remove_others(library: Library) -> None:
    """Remove the indexes that nobody searches and nobody builds."""
    current = library.read_current()
    if current is None:
        return
    kept = {index.index for index in current.all}
    vectors = library.client("s3vectors")
    pages = vectors.get_paginator("list_indexes").paginate(vectorBucketName=library.vector_bucket)
    names = {index["indexName"] for page in pages for index in page["indexes"]}
    for name in names - kept:
        vectors.delete_index(vectorBucketName=library.vector_bucket, indexName=name)
    bucket = Bucket(library.bucket, library.client("s3"))
    below = [key for key in library.objects(INDEXES) if "/" in key.removeprefix(INDEXES)]
    old = [key for key in below if key.removeprefix(INDEXES).split("/")[0] not in kept]
    asyncio.run(bucket.delete(*old))
