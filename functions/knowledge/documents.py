"""The documents: their rows in the table, and their passages as objects in the bucket.

| what | where | |
| --- | --- | --- |
| original | `knowledge/<path>`, a tenant's `knowledge/@<tenant>/<path>` | put by people |
| its state | row `K#<tenant>`, `DOC#<document id>` | who ingests it, how it ended |
| its passages | `knowledge-index/<index>/documents/<document id>.json.gz` | what the indexes hold |
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Literal

from ..store.table import Table

ORIGINALS: Final = "knowledge/"

State = Literal["indexing", "ready", "failed"]


def object_key(tenant: str | None, path: str) -> str:
    """The key of an original. `tenant` is the name as tokens have it."""
    raise NotImplementedError


@dataclass(frozen=True)
class DocumentRow:
    """The state of one document."""

    id: str
    tenant: str
    """A `tenant_part`."""
    path: str
    state: State
    etag: str = ""
    """That of the object that was ingested last. With quotation marks, as S3 writes it."""
    sha256: str = ""
    passages: int = 0
    error: str = ""
    """Why it cannot be read, as a sentence."""
    updated_at: float = 0.0
    indexes: frozenset[str] = frozenset()
    """The indexes that hold this version of it, or nothing of it because it cannot be read."""


class DocumentRows:
    """The rows of documents."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, tenant: str | None, path: str) -> DocumentRow | None:
        """One request, one read unit."""
        raise NotImplementedError

    def list(self, tenant: str | None = None) -> AsyncIterator[DocumentRow]:
        """The documents of a tenant, or those of nobody. One request for each megabyte."""
        raise NotImplementedError
