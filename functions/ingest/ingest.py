"""Brings one document to where its original is now: read, split, embedded and in the indexes.

An event only names a key, so duplicates and reordering do not matter. Whatever is written can be
written again, and `functions.knowledge.kept` knows what an ingest that was killed has left.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from ..aws.bucket import Bucket, Head
from ..knowledge.current import Current, CurrentIndex, Index
from ..knowledge.documents import DocumentRow, DocumentRows, Holder, Place, names, version_of
from ..knowledge.embedder import Embedder
from ..knowledge.embeddings import embedder_of
from ..knowledge.kept import Kept, KeptDocuments
from ..knowledge.passages import Document, Passage, with_ids
from ..knowledge.stored import filterable, metadata_of
from ..knowledge.vectors import Vector, Vectors
from ..knowledge.words import Words
from ..settings import Settings
from ..store.table import Table
from .reading import MAX_BYTES, Read, UnreadableError, read
from .splitting import split

logger = logging.getLogger(__name__)

MAX_TITLE: Final = 300
"""Characters of a title, which each of the passages carries."""

BATCH: Final = 200
"""Passages that are embedded and stored together: what a kill makes be done twice, at most."""

READ_SECONDS: Final = 180
"""Reading takes two minutes at most, and is not begun with less time left than this."""

STOP_SECONDS: Final = 45
"""Nothing more is begun with less time left than this: a batch, or a file of words, takes less."""

MAX_ROUNDS: Final = 20
"""Times that a document is looked at again at once, while events come for it."""


class AgainError(Exception):
    """The document is not finished, and its event has to come again. Nothing is lost by it."""


@dataclass(frozen=True)
class _Original:
    """The original as it is now, and what is read of it. `why` says why it cannot be read."""

    head: Head
    version: str
    sha256: str = ""
    read: Read | None = None
    why: str = ""


@dataclass
class _Done:
    """For the log."""

    passages: int = 0
    embedded: int = 0
    removed: int = 0


class Ingest:
    """Ingests documents. `table` and `bucket` are reached by the function's own role.

    `embedder` makes the embedder of an index, by default the one that the settings give.
    """

    def __init__(
        self,
        settings: Settings,
        table: Table,
        bucket: Bucket,
        embedder: Callable[[Index], Embedder] | None = None,
    ) -> None:
        self._settings = settings
        self._bucket = bucket
        self._rows = DocumentRows(table)
        self._current = CurrentIndex(bucket)
        self._embedder = embedder or (lambda index: embedder_of(index.embedding, settings))
        self._words: dict[str, Words] = {}
        self._made: set[tuple[str, float]] = set()
        self._reading = asyncio.Semaphore(1)  # it uses a whole CPU, and the memory of a file

    async def document(
        self, key: str, *, event: str, left: Callable[[], float], force: bool = False
    ) -> None:
        """Ingest the object with this key, or remove what is known of it when it is gone.

        `event` names the event. One that comes while another is at work leaves the document to
        that, which then looks once more. `left` says how many seconds are left. With `force` an
        object that has not changed is ingested, too. Raises `AgainError` when the event has to come
        again, and what AWS and the embedding model raise; then what was done is kept.
        """
        place = Place.of(key)
        if place is None:
            logger.warning("an object is no document by its key, and is left alone")
            return
        if not force and await self._is_done(place):
            return
        holder = Holder(event)
        taken = await self._rows.take(place, holder, time.time() + left())
        if taken == "same":
            raise AgainError("an earlier attempt may still be at work")
        if taken == "noted":
            return
        try:
            await self._rounds(place, holder, left)
        except Exception as error:
            await self._rows.give_back(place, holder, type(error).__name__)
            raise

    async def _rounds(self, place: Place, holder: Holder, left: Callable[[], float]) -> None:
        for _ in range(MAX_ROUNDS):
            if await self._round(place, holder, left):
                return
            # Another event has come. Taking the document again forgets the note of that.
            if await self._rows.take(place, holder, time.time() + left()) != "taken":
                break
        raise AgainError("the document changes all the time")

    async def _is_done(self, place: Place) -> bool:
        """Whether nothing is to be done. The original is asked for first: when it changes after
        that, there is another event.
        """
        head = await self._bucket.head(place.key)
        row = await self._rows.get(place.tenant, place.path)
        if row is None or head is None:
            return row is None and head is None
        current = await self._indexes()
        version = _version(head)
        return all(row.holds(version, index) for index in current.all)

    async def _indexes(self) -> Current:
        """The indexes, as they are now; each exists."""
        current = await self._current.read(fresh=True)
        if current is None:
            current = await self._current.begin(Index.of(self._settings))
        for index in current.all:
            if (index.index, index.made) not in self._made:
                await Vectors(self._settings.vector_bucket, index.index).create(index.dimension)
                self._made.add((index.index, index.made))
        for name in self._words.keys() - {index.index for index in current.all}:
            del self._words[name]
        return current

    async def _round(self, place: Place, holder: Holder, left: Callable[[], float]) -> bool:
        """Bring everything to where the original is. False when it has to be looked at again."""
        began = time.monotonic()
        current = await self._indexes()
        original = await self._original(place, left)
        done = _Done()
        for index in current.all:
            document = await self._document(place, original, index)
            if original and not original.why and not document.passages:
                original = replace(original, why="There is no text in it.")
            await self._into(index, document, done, left)
        state = "gone" if original is None else "failed" if original.why else "ready"
        if original is None:
            ended = await self._rows.remove(place, holder)
        else:
            row = DocumentRow(
                place.document,
                place.tenant,
                place.path,
                "failed" if original.why else "ready",
                etag=original.head.etag,
                sha256=original.sha256,
                passages=done.passages,
                error=original.why,
                version=original.version,
                indexes=frozenset(index.index for index in current.all),
            )
            ended = await self._rows.finish(place, holder, row)
        numbers = {
            "ingest_ms": round((time.monotonic() - began) * 1000),
            "ingest_bytes": original.head.size if original else 0,
            "ingest_passages": done.passages,
            "ingest_embedded": done.embedded,
            "ingest_removed": done.removed,
            f"ingest_{state}": 1,
        }
        logger.info("document %s is %s: %s", place.document, state, numbers, extra=numbers)
        return ended

    async def _original(self, place: Place, left: Callable[[], float]) -> _Original | None:
        """The original, read. `None` when it is gone."""
        while True:
            _check(left, READ_SECONDS)
            head = await self._bucket.head(place.key)
            if head is None:
                return None
            found = _Original(head, _version(head))
            if head.size > MAX_BYTES:
                why = f"It has more than {MAX_BYTES // 1_000_000} MB. Divide it."
                return replace(found, why=why)
            if not filterable(place.tenant, *_roles_and_tags(head)):
                return replace(found, why="Its roles and tags are too many to be searched by.")
            async with self._reading:
                data = await self._bucket.get(place.key, etag=head.etag)
                if data is None:
                    continue  # it has changed since
                found = replace(found, sha256=sha256(data).hexdigest())
                try:
                    text = await asyncio.to_thread(read, data, place.path)
                except UnreadableError as error:
                    return replace(found, why=error.reason)
            return replace(found, read=text)

    async def _document(self, place: Place, original: _Original | None, index: Index) -> Document:
        """The document as an index has to hold it: without passages when it cannot be read."""
        document = Document(place.document, place.path, place.path, place.tenant)
        if original is None or original.read is None or original.why:
            return document
        texts = await asyncio.to_thread(split, original.read, index.passage_tokens)
        roles, tags = _roles_and_tags(original.head)
        return replace(
            document,
            title=original.read.title[:MAX_TITLE],
            roles=roles,
            tags=tags,
            passages=with_ids(place.document, texts),
        )

    async def _into(
        self, index: Index, document: Document, done: _Done, left: Callable[[], float]
    ) -> None:
        """Have an index hold exactly what the document says."""
        objects = KeptDocuments(self._bucket, index.index)
        vectors = Vectors(self._settings.vector_bucket, index.index)
        kept = await objects.get(document.id)
        if document.passages and document not in {kept.document, kept.next}:
            kept = kept.with_next(document)
            await objects.put(document.id, kept)
        await self._embed(index, vectors, document, done, left)
        _check(left, STOP_SECONDS)
        await self._words_of(index).put(document, kept.passages.values())
        old = kept.passages.keys() - {passage.id for passage in document.passages}
        await vectors.delete(old)
        if document.passages:
            await objects.put(document.id, Kept(document))
        else:
            await objects.remove(document.id)
        done.passages = len(document.passages)
        done.removed += len(old)

    async def _embed(
        self,
        index: Index,
        vectors: Vectors,
        document: Document,
        done: _Done,
        left: Callable[[], float],
    ) -> None:
        """Embed and store those passages that the index does not have just so."""
        wanted = {passage.id: metadata_of(document, passage) for passage in document.passages}
        there = await vectors.get(wanted)
        missing = [
            passage
            for passage in document.passages
            if _sorted(there.get(passage.id)) != _sorted(wanted[passage.id])
        ]
        if not missing:
            return
        embedder = self._embedder(index)
        for first in range(0, len(missing), BATCH):
            _check(left, STOP_SECONDS)
            await _store(vectors, embedder, missing[first : first + BATCH], wanted)
            done.embedded += len(missing[first : first + BATCH])

    def _words_of(self, index: Index) -> Words:
        return self._words.setdefault(index.index, Words(self._bucket, index.index))


async def _store(
    vectors: Vectors,
    embedder: Embedder,
    passages: Sequence[Passage],
    metadata: Mapping[str, dict[str, Any]],
) -> None:
    found = await embedder.embed([passage.in_context for passage in passages])
    await vectors.put(
        [
            Vector(passage.id, vector, metadata[passage.id])
            for passage, vector in zip(passages, found, strict=True)
        ]
    )


def _roles_and_tags(head: Head) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return names(head.metadata, "roles"), names(head.metadata, "tags")


def _version(head: Head) -> str:
    return version_of(head.etag, *_roles_and_tags(head))


def _check(left: Callable[[], float], seconds: float) -> None:
    """Raise `AgainError` when less time is left than this."""
    if left() < seconds:
        raise AgainError("the function's time is nearly over")


def _sorted(metadata: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Metadata to compare: no order of a list means anything but that of headings."""
    if metadata is None:
        return None
    return {
        name: sorted(value) if isinstance(value, list) and name != "headings" else value
        for name, value in metadata.items()
    }
