"""The labelled set, asked by words, by vectors and by both, with each embedding model."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from functions.aws.bucket import Bucket
from functions.ingest.ingest import Ingest
from functions.knowledge.current import Index
from functions.knowledge.embedder import Embedder, EmbeddingModel
from functions.knowledge.embeddings import chosen_model, embedder_of
from functions.knowledge.passages import Passage, document_id, document_of, with_ids
from functions.knowledge.search import Knowledge
from functions.knowledge.vectors import Vectors, who_may_see
from functions.knowledge.words import Words
from functions.settings import Settings
from functions.store.table import Table
from tests.bench.knowledge import labelled, report
from tests.bench.knowledge.labelled import DOCUMENTS, Question, documents, questions
from tests.bench.knowledge.models import MiniLM, MultilingualE5
from tests.support.cloud import own_cloud

FOLDER: Final = "bench/"


@dataclass
class Timed:
    """An embedder that adds up what it takes."""

    embedder: Embedder
    seconds: list[float] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.embedder, name)

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> list[list[float]]:
        began = time.perf_counter()
        vectors = await self.embedder.embed(texts, query=query)
        self.seconds.append(time.perf_counter() - began)
        return vectors


async def run(patch: pytest.MonkeyPatch) -> list[str]:
    """Measure each model and print. Returns the goals that are missed."""
    missed = []
    await measured(patch, None)
    for model in (MiniLM(), MultilingualE5()):
        answers = await measured(patch, model)
        missed += report.missed(model.model, answers)
    return missed


async def measured(patch: pytest.MonkeyPatch, model: Any | None) -> report.Answers:
    """The answers of one model's index; of the hashing embedder's when it is `None`."""
    chosen = {"CHATKIT_EMBEDDING_PROVIDER": "hashing"}
    if model:
        chosen = {
            "CHATKIT_EMBEDDING_PROVIDER": model.provider,
            "CHATKIT_EMBEDDING_BASE_URL": "http://127.0.0.1:9/v1",  # is never asked
            "CHATKIT_EMBEDDING_MODEL": model.model,
            "CHATKIT_EMBEDDING_DIMENSION": str(model.dimension),
        }
    with own_cloud(patch, CHATKIT_KNOWLEDGE="true", **chosen), patch.context() as instead:
        settings = Settings(_env_file=None)
        timed = Timed(model or embedder_of(chosen_model(settings), settings))

        def this(_description: EmbeddingModel, _settings: Settings) -> Embedder:
            return timed

        instead.setattr("functions.knowledge.search.embedder_of", this)
        bucket = Bucket(settings.attachments_bucket)
        began = time.perf_counter()
        await ingest(settings, bucket, timed)
        took = time.perf_counter() - began
        passages = passages_of(settings.passage_tokens)
        print(
            f"\n== {timed.model}: {len(passages)} passages of {len(documents())} documents, "
            f"ingested in {took:.0f} s, {sum(timed.seconds):.0f} s of it embedding"
        )
        searches = await searches_of(settings, bucket, timed)
        answers: report.Answers = {}
        for name, search in searches.items():
            await search("warm up")
            timed.seconds.clear()
            answers[name] = [await ask(search, question, passages) for question in questions()]
        report.show(answers)
        embedding = [seconds * 1000 for seconds in timed.seconds]
        print(f"embedding a question: p50 {report.percentile(embedding, 0.5):.1f} ms of these")
        return answers


async def ingest(settings: Settings, bucket: Bucket, embedder: Embedder) -> None:
    ingesting = Ingest(settings, Table(settings.table), bucket, lambda _index: embedder)
    for path in documents():
        key = f"knowledge/{FOLDER}{path}"
        await bucket.put(key, (DOCUMENTS / path).read_bytes(), "text/markdown")
        await ingesting.document(key, event=path, left=lambda: 900)


def passages_of(tokens: int) -> dict[str, Passage]:
    """The passages of all documents by id."""
    return {
        passage.id: passage
        for path in documents()
        for passage in with_ids(document_id(None, FOLDER + path), labelled.passages(path, tokens))
    }


def answering(question: Question, passages: dict[str, Passage]) -> set[str]:
    """The ids of the passages that answer: a label finds one."""
    document = document_id(None, FOLDER + question.document)
    return {
        name
        for name, passage in passages.items()
        if document_of(name) == document and labelled.answers(passage, question)
    }


Search = Callable[[str], Awaitable[list[str]]]


async def searches_of(settings: Settings, bucket: Bucket, embedder: Embedder) -> dict[str, Search]:
    """The product's searches by name. Each gives the ids of passages, the best first."""
    index = Index.of(settings).index
    words = Words(bucket, index)
    await words.refresh()
    vectors = Vectors(settings.vector_bucket, index)
    knowledge = Knowledge.of(settings, bucket)

    async def by_words(query: str) -> list[str]:
        return await words.search(query, report.TOP, tenant=None)

    async def by_vectors(query: str) -> list[str]:
        [vector] = await embedder.embed([query], query=True)
        hits = await vectors.query(vector, report.TOP, who_may_see(None))
        return [hit.key for hit in hits]

    async def by_both(query: str) -> list[str]:
        found = await knowledge.search(query, tenant=None, roles=(), top=report.TOP)
        return [each.passage.id for each in found]

    return {"words": by_words, "vectors": by_vectors, "both": by_both}


async def ask(search: Search, question: Question, passages: dict[str, Passage]) -> report.Answer:
    began = time.perf_counter()
    found = await search(question.question)
    milliseconds = (time.perf_counter() - began) * 1000
    right = answering(question, passages)
    rank = next((at for at, name in enumerate(found, 1) if name in right), None)
    return report.Answer(question, rank, milliseconds)
