"""Search: by meaning and by words at the same time, fused by rank.

Reciprocal rank fusion: a passage scores weight / (5 + rank) for each list that has it. Cormack,
Clarke and Büttcher, 2009: https://dl.acm.org/doi/10.1145/1571941.1572114

The paper's constant is 60, and its lists are equal. `make bench-knowledge` found that a question
in other words than the document's, or in another language, then loses what the model has found: the
words of such a question stand in many wrong passages, and what is low in both lists comes before
what is first in one. So the first ranks count for more here, and meaning for more than words.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final, Self

from .. import aws
from ..aws.bucket import Bucket
from ..aws.keys import part
from ..settings import Settings
from .current import CurrentIndex, Index
from .documents import ORIGINALS
from .embedder import Embedder, EmbeddingError
from .embeddings import embedder_of
from .kept import KeptDocuments
from .passages import PASSAGE_ID, Document, Passage
from .stored import may_see, passage_of
from .vectors import Filter, NoIndexError, VectorHit, Vectors, who_may_see
from .words import Words

logger = logging.getLogger(__name__)

TOP: Final = 6
EACH: Final = 30
"""Passages that are asked for by meaning, and as many by words."""
K: Final = 5
MEANING: Final = 2
"""How much more the list by meaning weighs than that by words. The hashing embedder knows none, so
with that it is the other way round."""


@dataclass(frozen=True)
class Found:
    """A passage that was found. A higher score is better; only the order means something."""

    passage: Passage
    document: str
    """The document's id."""
    title: str
    path: str
    score: float


@dataclass(frozen=True)
class PassageView:
    """A passage with its surroundings, and a signed link to the original, for an hour.

    `before` and `after` are the text of its neighbours, empty where there are none. The link shows
    a PDF at the passage's page, and saves any other file.
    """

    before: str
    passage: Passage
    after: str
    title: str
    path: str
    link: str


@dataclass(frozen=True)
class _Opened:
    """An index as it is searched."""

    index: Index
    embedder: Embedder
    vectors: Vectors
    words: Words


class Knowledge:
    """Searches the current index. `bucket` is reached by the function's own role."""

    def __init__(self, bucket: Bucket, settings: Settings) -> None:
        self._bucket = bucket
        self._settings = settings
        self._current = CurrentIndex(bucket)
        self._opened: _Opened | None = None

    @classmethod
    def of(cls, settings: Settings, bucket: Bucket | None = None) -> Self:
        """The knowledge of this deployment. Opens no connection and reads no secret.

        With `isolation=session`, `bucket` is for one person's objects, and documents are nobody's.
        """
        if bucket is None or settings.data_role:
            bucket = Bucket(settings.attachments_bucket, nobodys=True)
        return cls(bucket, settings)

    async def search(
        self,
        query: str,
        *,
        tenant: str | None,
        roles: Collection[str],
        tags: Collection[str] = (),
        top: int = TOP,
    ) -> list[Found]:
        """The best passages for a query, best first; none when nothing was ingested.

        Only of documents that everybody or this tenant has, and that these roles may see; with
        `tags`, only of those that have one of them. `tenant` is its name, as tokens have it. At
        most three round trips one after the other, and one more each minute. Without the embedding
        model, passages are found by words alone. Raises what S3 Vectors raises.
        """
        if not query.strip():
            return []
        who = _Who.of(tenant, roles, tags)
        try:
            return await self._search(query, who, top, fresh=False)
        except NoIndexError:  # it was removed after a switch, less than a minute ago
            return await self._search(query, who, top, fresh=True)

    async def _search(self, query: str, who: "_Who", top: int, *, fresh: bool) -> list[Found]:
        began = time.perf_counter()
        opened = await self._open(fresh=fresh)
        if opened is None:
            return []
        vector, _ = await aws.together(_embedded(opened.embedder, query), opened.words.refresh())
        prepared = time.perf_counter()
        hits: list[VectorHit]
        hits, named = await aws.together(
            _nearest(opened.vectors, vector, who.filter),
            opened.words.search(query, EACH, tenant=who.tenant, roles=who.roles, tags=who.tags),
        )
        known = {hit.key: hit.metadata for hit in hits}
        weights = (1, MEANING) if opened.index.provider == "hashing" else (MEANING, 1)
        best = fused([known, named], weights)[:top]
        if more := [key for key, _ in best if key not in known]:
            there = await opened.vectors.get(more)
            known |= {key: of for key, of in there.items() if may_see(of, who.tenant, who.roles)}
        found = [_found(key, known[key], score) for key, score in best if key in known]
        ended = time.perf_counter()
        numbers = {
            "search_ms": round((ended - began) * 1000),
            "search_prepared_ms": round((prepared - began) * 1000),
            "search_by_meaning": len(hits),
            "search_by_words": len(named),
            "search_found": len(found),
        }
        logger.info("searched documents: %s", numbers, extra=numbers)
        return found

    async def passage(
        self, passage_id: str, *, tenant: str | None, roles: Collection[str]
    ) -> PassageView | None:
        """A passage of the current index; `None` for one that is not there, or that only others may
        see. Any text may be given as id. One round trip, and one more each minute.
        """
        if not PASSAGE_ID.fullmatch(passage_id):
            return None
        current = await self._current.read()
        if current is None:
            return None
        kept = await KeptDocuments(self._bucket, current.index.index).of_passage(passage_id)
        place = kept.around(passage_id)
        who = None if tenant is None else part(tenant)
        if place is None or not kept.seen_by(who, roles):
            return None
        document, number = place
        passages = document.passages
        return PassageView(
            before=passages[number - 1].text if number else "",
            passage=passages[number],
            after=passages[number + 1].text if number + 1 < len(passages) else "",
            title=document.title,
            path=document.path,
            link=await aws.call(self._link, document=document, page=passages[number].page),
        )

    def _link(self, document: Document, page: int | None) -> str:
        """Only a PDF is shown: a browser would run the scripts of an HTML page."""
        folder = "" if document.tenant is None else f"@{document.tenant}/"
        key = f"{ORIGINALS}{folder}{document.path}"
        name = PurePosixPath(document.path).name
        if not name.lower().endswith(".pdf"):
            return self._bucket.sign_get(key, save_as=name)
        return self._bucket.sign_get(key) + ("" if page is None else f"#page={page}")

    async def _open(self, *, fresh: bool) -> _Opened | None:
        current = await self._current.read(fresh=fresh)
        if current is None:
            return None
        index = current.index
        if self._opened is None or self._opened.index != index:
            self._opened = _Opened(
                index,
                embedder_of(index.embedding, self._settings),
                Vectors(self._settings.vector_bucket, index.index),
                Words(self._bucket, index.index),
            )
        return self._opened


@dataclass(frozen=True)
class _Who:
    """Who asks, and for documents of which tags."""

    tenant: str | None
    """A key part."""
    roles: frozenset[str]
    tags: frozenset[str]

    @classmethod
    def of(cls, tenant: str | None, roles: Iterable[str], tags: Iterable[str]) -> Self:
        return cls(None if tenant is None else part(tenant), frozenset(roles), frozenset(tags))

    @property
    def filter(self) -> Filter:
        return who_may_see(self.tenant, self.roles, self.tags)


async def _embedded(embedder: Embedder, query: str) -> list[float] | None:
    try:
        (vector,) = await embedder.embed([query], query=True)
    except EmbeddingError as error:
        # As text, which has no words of people: of an exception the log has the type alone.
        why = str(error)
        logger.error("a query is not embedded, so its words alone are searched: %s", why)  # noqa: TRY400
        return None
    return vector


async def _nearest(vectors: Vectors, vector: list[float] | None, who: Filter) -> list[VectorHit]:
    return [] if vector is None else await vectors.query(vector, EACH, who)


def fused(lists: Iterable[Iterable[str]], weights: Iterable[float]) -> list[tuple[str, float]]:
    """The keys of ranked lists with their scores, best first. Of equal ones, the first seen."""
    scores: defaultdict[str, float] = defaultdict(float)
    for ranked, weight in zip(lists, weights, strict=True):
        for rank, key in enumerate(ranked, start=1):
            scores[key] += weight / (K + rank)
    return sorted(scores.items(), key=lambda each: -each[1])


def _found(key: str, metadata: dict[str, Any], score: float) -> Found:
    return Found(
        passage_of(key, metadata),
        metadata.get("document", ""),
        metadata.get("title", ""),
        metadata.get("path", ""),
        score,
    )
