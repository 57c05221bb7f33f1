"""`make knowledge`: the documents of a stage, or of the `make dev` that is running."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from functions.aws.bucket import Bucket
from functions.knowledge.current import Current, CurrentIndex, Index
from functions.knowledge.documents import ORIGINALS, DocumentRow, DocumentRows, Place
from functions.store.table import Table
from infra.cli.account import Account
from infra.cli.deployment import Deployment
from infra.cli.terminal import say
from infra.cli.typed import CommandError, Typed
from infra.local.events import document_queue
from infra.local.folder import INDEX_VARIABLE
from infra.stack.settings import StackSettings

EXAMPLE = "make ingest STAGE=prod"


def command(_: Typed, settings: StackSettings | None, account: Account | None) -> None:
    show(library_of(Deployment.of(settings, account, EXAMPLE)))


@dataclass(frozen=True)
class Library:
    """Where the documents of a deployment are, and how people call it.

    `wanted` is the index that its settings ask for.
    """

    name: str
    client: Callable[[str], Any]
    bucket: str
    table: str
    vector_bucket: str
    queue: str
    wanted: Index

    @property
    def current(self) -> CurrentIndex:
        return CurrentIndex(Bucket(self.bucket, self.client("s3")))

    @property
    def rows(self) -> DocumentRows:
        return DocumentRows(Table(self.table, self.client("dynamodb")))

    def objects(self, prefix: str = ORIGINALS) -> dict[str, dict[str, Any]]:
        """What lies under a prefix: an object's `ETag`, `Size` and so on by its key."""
        pages = self.client("s3").get_paginator("list_objects_v2")
        return {
            entry["Key"]: entry
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix)
            for entry in page.get("Contents", [])
        }

    def states(self, tenants: Iterable[str | None]) -> dict[str, DocumentRow]:
        """The rows of documents by the key of the original. `tenants` are key parts."""

        async def read() -> dict[str, DocumentRow]:
            rows = self.rows
            return {
                key_of(tenant, row.path): row
                for tenant in tenants
                async for row in rows.list(tenant)
            }

        return asyncio.run(read())

    def read_current(self) -> Current | None:
        return asyncio.run(self.current.read(fresh=True))


def key_of(tenant: str | None, path: str) -> str:
    """The key of an original. `tenant` is a key part."""
    return f"{ORIGINALS}{path}" if tenant is None else f"{ORIGINALS}@{tenant}/{path}"


def library_of(deployment: Deployment) -> Library:
    """The documents of a deployment. Raises `CommandError` when it knows none."""
    if deployment.stage is None:
        variables = deployment.variables
        index = variables.get(INDEX_VARIABLE)
        if not index:
            raise CommandError(
                "This make dev knows no documents: put CHATKIT_KNOWLEDGE=true into .env."
            )
        vector_bucket = str(variables["CHATKIT_VECTOR_BUCKET"])
        name = document_queue(deployment.bucket_name)
        queue = deployment.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    else:
        outputs = deployment.outputs
        if "KnowledgeIndex" not in outputs:
            raise CommandError(
                f"{deployment.title} knows no documents: deploy it with -c knowledge=true."
            )
        index = outputs["KnowledgeIndex"]
        vector_bucket, queue = outputs["VectorBucketName"], outputs["DocumentQueueUrl"]
    return Library(
        name=deployment.title,
        client=deployment.client,
        bucket=deployment.bucket_name,
        table=deployment.table_name,
        vector_bucket=vector_bucket,
        queue=queue,
        wanted=Index(**json.loads(index)),
    )


def show(library: Library) -> None:
    """List the documents with their state, their passages and their errors."""
    objects = library.objects()
    places = [place for key in objects if (place := Place.of(key))]
    states = library.states({None, *(place.tenant for place in places)})
    current = library.read_current()
    say(f"{library.name}: {_described(library, current)}")
    rows = [_line(place.key, states.get(place.key)) for place in places]
    rows += [
        ("removing", "", key.removeprefix(ORIGINALS), "") for key in states if key not in objects
    ]
    if not rows:
        say("There are no documents. make ingest DIR=docs uploads a folder.")
        return
    for state, passages, path, error in sorted(rows, key=lambda row: row[2]):
        say(f"  {state:<9}{passages:>7}  {path}{f'  ({error})' if error else ''}")
    known = sum(row.passages for row in states.values())
    counted = Counter(row[0] for row in rows)
    say(f"{_counts(counted)}; {known:,} passages")
    if counted["failed"]:
        say("failed: it cannot be read, and is not searched. Upload it again once it is mended.")


def _line(key: str, row: DocumentRow | None) -> tuple[str, str, str, str]:
    path = key.removeprefix(ORIGINALS)
    if row is None:
        return "waiting", "", path, ""
    return row.state, f"{row.passages:,}", path, row.error


def _described(library: Library, current: Current | None) -> str:
    if current is None:
        return f"no index yet. It will be made with {described(library.wanted)}."
    said = f"{described(current.index)}."
    if current.building:
        said += f" Being built: {described(current.building)}; make ingest REINDEX=1 goes on."
    elif current.index != library.wanted:
        said += f" {advice(library)}"
    return said


def advice(library: Library) -> str:
    """What to do when the settings ask for another index than the one that is searched."""
    return (
        f"The settings ask for {described(library.wanted)}, which is used after "
        "make ingest REINDEX=1. Until then nothing changes."
    )


def described(index: Index) -> str:
    return (
        f"{index.model} of {index.provider}, {index.dimension} numbers, passages of "
        f"{index.passage_tokens} tokens"
    )


def _counts(counted: Counter[str]) -> str:
    return ", ".join(f"{number} {state}" for state, number in sorted(counted.items()))
