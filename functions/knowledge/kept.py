"""What one index holds of a document: an object with its passages, in order, with their texts.

It is what the page shows the surroundings of a passage from, what a file that was put again is
compared with, and where the texts are that FTS5 needs to forget words.

It is written before the indexes are (`next`), so it always names every passage that they may hold:
whoever finishes an ingest that was killed knows what to remove.
"""

import gzip
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

from ..aws import call
from ..aws.bucket import Bucket
from .current import INDEXES
from .passages import Document, Passage, document_of

LEVEL: Final = 6
"""Of gzip: what follows is repetitive, and more takes longer for some percent less."""


@dataclass(frozen=True)
class Kept:
    """`document` as it was ingested last; `next` as it is being ingested now; `also` has passages
    of versions whose ingest was given up. Any of them may be in the index.
    """

    document: Document | None = None
    next: Document | None = None
    also: tuple[Passage, ...] = ()

    @property
    def passages(self) -> dict[str, Passage]:
        """Every passage that the index may hold, by its id."""
        known = [*self.also]
        for document in (self.document, self.next):
            known += document.passages if document else ()
        return {passage.id: passage for passage in known}

    def with_next(self, document: Document) -> "Kept":
        """What has to be written before the index gets passages of `document`."""
        known = self.passages
        for passage in (*(self.document.passages if self.document else ()), *document.passages):
            known.pop(passage.id, None)
        return Kept(self.document, document, tuple(known.values()))

    def around(self, passage_id: str) -> tuple[Document, int] | None:
        """The document that has a passage, and where; the newest one first."""
        for document in (self.next, self.document):
            for number, passage in enumerate(document.passages if document else ()):
                if document and passage.id == passage_id:
                    return document, number
        return None

    def seen_by(self, tenant: str | None, roles: Iterable[str]) -> bool:
        """Whether such a person may see the document as it was put last."""
        newest = self.next or self.document
        return newest is not None and newest.seen_by(tenant, roles)


class KeptDocuments:
    """The objects of one index: `knowledge-index/<index>/documents/<document id>.json.gz`."""

    def __init__(self, bucket: Bucket, index: str) -> None:
        self._bucket = bucket
        self._prefix = f"{INDEXES}{index}/documents/"

    async def get(self, document_id: str) -> Kept:
        """What is kept of a document; nothing for an unknown one. One request."""
        data = await self._bucket.get(self._key(document_id))
        return Kept() if data is None else await call(_read, data=data)

    async def of_passage(self, passage_id: str) -> Kept:
        """What is kept of the document that a passage belongs to. One request."""
        return await self.get(document_of(passage_id))

    async def put(self, document_id: str, kept: Kept) -> None:
        data = await call(_written, kept=kept)
        await self._bucket.put(self._key(document_id), data, "application/gzip")

    async def remove(self, document_id: str) -> None:
        await self._bucket.delete(self._key(document_id))

    def _key(self, document_id: str) -> str:
        return f"{self._prefix}{document_id}.json.gz"


def _written(kept: Kept) -> bytes:
    return gzip.compress(json.dumps(asdict(kept)).encode(), LEVEL)


def _read(data: bytes) -> Kept:
    stored = json.loads(gzip.decompress(data))
    return Kept(
        _document(stored["document"]),
        _document(stored["next"]),
        tuple(_passage(passage) for passage in stored["also"]),
    )


def _document(stored: dict[str, Any] | None) -> Document | None:
    if stored is None:
        return None
    return Document(
        **{
            **stored,
            "roles": tuple(stored["roles"]),
            "tags": tuple(stored["tags"]),
            "passages": tuple(_passage(passage) for passage in stored["passages"]),
        }
    )


def _passage(stored: dict[str, Any]) -> Passage:
    return Passage(**{**stored, "headings": tuple(stored["headings"])})
