"""The documents: where the originals lie, and their rows in the table.

| what | where |
| --- | --- |
| original | `knowledge/<path>`, a tenant's `knowledge/@<tenant>/<path>` |
| its state | row `K#<tenant>`, `DOC#<document id>` |
| its passages | see `functions.knowledge.kept` |

A row also says who ingests the document now (`holder`, an event's name, `until` a moment), so that
only one does. Another event that comes meanwhile leaves the note `again` for that one.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_hex
from typing import Final, Literal, Self, cast
from urllib.parse import unquote

from ..aws.keys import part
from ..store import keys
from ..store.table import ConditionFailed, Row, Table
from .current import Index
from .passages import document_id

ORIGINALS: Final = "knowledge/"

MAX_ATTEMPTS: Final = 3
"""Attempts to take a document that others take and give back at the same moments."""

State = Literal["indexing", "ready", "failed"]


def object_key(tenant: str | None, path: str) -> str:
    """The key of an original. `tenant` is its name, as tokens have it."""
    return f"{ORIGINALS}{path}" if tenant is None else f"{ORIGINALS}@{part(tenant)}/{path}"


@dataclass(frozen=True)
class Place:
    """Where an original lies. `tenant` is a key part, and `None` for one of nobody."""

    key: str
    tenant: str | None
    path: str

    @classmethod
    def of(cls, key: str) -> Self | None:
        """The place of the object with this key; `None` for one that is no document: a folder's
        marker, another prefix, or a tenant's folder whose name is not written as a key part.
        """
        path = key.removeprefix(ORIGINALS)
        if path == key or not path or path.endswith("/"):
            return None
        if not path.startswith("@") or "/" not in path:
            return cls(key, None, path)
        tenant, _, path = path[1:].partition("/")
        written = tenant and (tenant.startswith("!") or part(unquote(tenant)) == tenant)
        return cls(key, tenant, path) if written else None

    @property
    def document(self) -> str:
        """The document's id."""
        return document_id(self.tenant, self.path)


def names(metadata: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The roles or tags of an original: names with spaces or commas between them."""
    return tuple(sorted(set(metadata.get(name, "").replace(",", " ").split())))


def version_of(etag: str, roles: Iterable[str], tags: Iterable[str]) -> str:
    """What changes when the original has to be ingested again. S3 keeps the ETag of an object that
    only gets other metadata.
    """
    said = "\n".join([etag, " ".join(roles), " ".join(tags)])
    return sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:20]


@dataclass(frozen=True)
class DocumentRow:
    """The state of one document."""

    id: str
    tenant: str | None
    """A key part."""
    path: str
    state: State
    etag: str = ""
    """That of the object that was ingested last. With quotation marks, as S3 writes it."""
    sha256: str = ""
    passages: int = 0
    error: str = ""
    """Why it cannot be read, as a sentence; of one that is `indexing`, how the last attempt ended.
    """
    version: str = ""
    """`version_of` the object that was ingested last."""
    indexes: frozenset[str] = field(default_factory=frozenset)
    """The indexes that hold this version of it, or nothing of it because it cannot be read."""
    updated_at: float = 0.0
    """Unix time."""
    held: bool = False
    """Whether it is being ingested now."""

    def holds(self, version: str, index: Index) -> bool:
        """Whether an index is where it has to be for this version."""
        there = index.index in self.indexes and self.updated_at >= index.made
        return there and self.state != "indexing" and self.version == version


def _row(tenant: str | None, row: Row) -> DocumentRow:
    def text(name: str) -> str:
        return cast("str", row.get(name, {}).get("S", ""))

    def number(name: str) -> float:
        return float(row.get(name, {}).get("N", 0))

    return DocumentRow(
        id=row["sk"]["S"].removeprefix(keys.DOCUMENT),
        tenant=tenant,
        path=text("path"),
        state=cast("State", text("state") or "indexing"),
        etag=text("etag"),
        sha256=text("sha256"),
        passages=int(number("passages")),
        error=text("error"),
        version=text("version"),
        indexes=frozenset(row.get("indexes", {}).get("SS", [])),
        updated_at=number("updated_at"),
        held="holder" in row and number("until") > time.time(),
    )


@dataclass(frozen=True)
class Holder:
    """Who ingests a document: one attempt to handle one event."""

    event: str
    """The event's name, which has no `/`. It is the same when the event is delivered again."""
    attempt: str = field(default_factory=lambda: token_hex(8))

    def __str__(self) -> str:
        return f"{self.event}/{self.attempt}"


Taken = Literal["taken", "noted", "same"]


class LostError(Exception):
    """The document was taken by somebody else, because this one's time was over."""


class DocumentRows:
    """The rows of documents."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, tenant: str | None, path: str) -> DocumentRow | None:
        """The row of the document at this path. `tenant` is a key part. One request."""
        row = await self._table.get(keys.document_key(tenant, document_id(tenant, path)))
        return _row(tenant, row) if row else None

    async def list(self, tenant: str | None = None) -> AsyncIterator[DocumentRow]:
        """The documents of a tenant (a key part), or those of nobody. One request a megabyte."""
        async for row in self._table.query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={
                ":pk": {"S": keys.documents_partition(tenant)},
                ":sk": {"S": keys.DOCUMENT},
            },
        ):
            yield _row(tenant, row)

    async def take(self, place: Place, holder: Holder, until: float) -> Taken:
        """Become the one who ingests the document, until then (Unix time). One write, or two.

        - `taken`: this one has it now. Whoever has it may take it again, which forgets notes.
        - `noted`: another event's holder has it, and will look at the document once more. If that
          holder is killed, its event is delivered again, or is in the dead-letter queue after the
          last attempt, and looks at the document as it is then.
        - `same`: an earlier attempt of the same event has it, which may have been killed. The event
          has to come again, because nobody else would.
        """
        for _ in range(MAX_ATTEMPTS):
            now = f"{time.time():.6f}"
            try:
                await self._table.update(
                    _key(place),
                    "SET holder = :holder, #until = :until, #path = :path, "
                    "updated_at = if_not_exists(updated_at, :now), #state = :indexing "
                    "REMOVE #again, #error",
                    ConditionExpression="attribute_not_exists(holder) OR holder = :holder "
                    "OR #until < :now",
                    ExpressionAttributeNames=_names("until", "path", "state", "again", "error"),
                    ExpressionAttributeValues={
                        ":holder": {"S": str(holder)},
                        ":until": {"N": f"{until:.3f}"},
                        ":path": {"S": place.path},
                        ":now": {"N": now},
                        ":indexing": {"S": "indexing"},
                    },
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ConditionFailed as failed:
                if _held_by(failed).partition("/")[0] == holder.event:
                    return "same"
            else:
                return "taken"
            with suppress(ConditionFailed):  # it has been given back meanwhile
                await self._table.update(
                    _key(place),
                    "SET #again = :yes",
                    ConditionExpression="attribute_exists(holder) AND #until >= :now",
                    ExpressionAttributeNames=_names("until", "again"),
                    ExpressionAttributeValues={":yes": {"BOOL": True}, ":now": {"N": now}},
                )
                return "noted"
        return "same"

    async def finish(self, place: Place, holder: Holder, row: DocumentRow) -> bool:
        """Write how the document was ingested, and give it back. One write.

        False when another event has come meanwhile; then it is still held. Raises `LostError`.
        """
        said: Row = {
            **_key(place),
            "path": {"S": row.path},
            "state": {"S": row.state},
            "etag": {"S": row.etag},
            "sha256": {"S": row.sha256},
            "passages": {"N": str(row.passages)},
            "error": {"S": row.error},
            "version": {"S": row.version},
            "indexes": {"SS": sorted(row.indexes)},
            "updated_at": {"N": f"{time.time():.6f}"},
        }
        return await self._end(holder, lambda **asked: self._table.put(said, **asked))

    async def remove(self, place: Place, holder: Holder) -> bool:
        """Remove the row of a document that is gone. Like `finish`."""
        return await self._end(holder, lambda **asked: self._table.delete(_key(place), **asked))

    async def _end(self, holder: Holder, write: Callable[..., Awaitable[None]]) -> bool:
        try:
            await write(
                ConditionExpression="holder = :holder AND attribute_not_exists(#again)",
                ExpressionAttributeNames=_names("again"),
                ExpressionAttributeValues={":holder": {"S": str(holder)}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ConditionFailed as failed:
            if _held_by(failed) != str(holder):
                raise LostError from None
            return False
        return True

    async def give_back(self, place: Place, holder: Holder, error: str) -> None:
        """Let another event have the document, which is not finished. One write.

        `error` is for whoever looks at the list: a short name, no text of the document.
        """
        with suppress(ConditionFailed):  # somebody else has it already
            await self._table.update(
                _key(place),
                "SET #error = :error, updated_at = :now REMOVE holder, #until",
                ConditionExpression="holder = :holder",
                ExpressionAttributeNames=_names("error", "until"),
                ExpressionAttributeValues={
                    ":holder": {"S": str(holder)},
                    ":error": {"S": error},
                    ":now": {"N": f"{time.time():.6f}"},
                },
            )


def _key(place: Place) -> keys.Key:
    return keys.document_key(place.tenant, place.document)


def _names(*attributes: str) -> dict[str, str]:
    return {f"#{name}": name for name in attributes}


def _held_by(failed: ConditionFailed) -> str:
    return cast("str", failed.rows.get(0, {}).get("holder", {}).get("S", ""))
