"""Documents in moto: a stage of their own for a test, and what its indexes hold."""

from uuid import uuid4

from functions.attachments import create_bucket
from functions.aws.bucket import Bucket
from functions.aws.clients import client
from functions.ingest.ingest import Ingest
from functions.ingest.reading import Block, Read, UnreadableError
from functions.knowledge.current import CurrentIndex
from functions.knowledge.documents import DocumentRows, Place, object_key
from functions.knowledge.embeddings import embedder_of
from functions.knowledge.passages import PassageText
from functions.knowledge.search import Knowledge
from functions.settings import GivenSettings
from functions.store import create_table
from functions.store.table import Table


def read_paragraphs(data, name):
    """A reader for tests: paragraphs between blank lines, no process."""
    if data.startswith(b"BROKEN"):
        raise UnreadableError("It is damaged.")
    blocks = [Block("text", part.strip()) for part in data.decode().split("\n\n") if part.strip()]
    return Read(name, blocks)


def split_paragraphs(read, tokens):
    return [PassageText(block.text, (read.title,), number) for number, block in numbered(read)]


def numbered(read):
    """A page for each ten paragraphs, so that inserting one moves few."""
    return ((at // 10 + 1, block) for at, block in enumerate(read.blocks))


class Embedding:
    """The hashing embedder, and what it was asked for. `fail` is called before each request."""

    def __init__(self, index, settings):
        self._embedder = embedder_of(index.embedding, settings)
        self.texts = []
        self.fail = lambda: None

    async def embed(self, texts, *, query=False):
        self.fail()
        self.texts += texts
        return await self._embedder.embed(texts, query=query)


class Stage:
    """A table, a bucket and a bucket of vectors, and the code that works on them."""

    def __init__(self, **settings):
        name = f"tests-{uuid4().hex}"
        self.settings = GivenSettings(
            knowledge=True,
            table=name,
            attachments_bucket=name,
            vector_bucket=name,
            embedding_provider="hashing",
            **settings,
        )
        create_table(client("dynamodb"), name)
        create_bucket(client("s3"), name)
        client("s3vectors").create_vector_bucket(vectorBucketName=name)
        self.name = name
        self.bucket = Bucket(name, nobodys=True)
        self.table = Table(name, nobodys=True)
        self.rows = DocumentRows(self.table)
        self.embeddings = {}
        self.knowledge = Knowledge.of(self.settings, self.bucket)

    def ingest(self):
        """As a new process has it."""
        return Ingest(self.settings, self.table, self.bucket, self.embedder)

    def embedder(self, index):
        if index.index not in self.embeddings:
            self.embeddings[index.index] = Embedding(index, self.settings)
        return self.embeddings[index.index]

    @property
    def embedding(self):
        """The embedder of the only index."""
        (one,) = self.embeddings.values()
        return one

    def put(self, path, text, tenant=None, **metadata):
        key = object_key(tenant, path)
        data = text if isinstance(text, bytes) else text.encode()
        client("s3").put_object(Bucket=self.name, Key=key, Body=data, Metadata=metadata)
        return key

    def delete(self, key):
        client("s3").delete_object(Bucket=self.name, Key=key)

    async def take(self, key, event=None, **options):
        """Ingest as one event does."""
        event = event or uuid4().hex
        await self.ingest().document(key, event=event, **{"left": lambda: 900.0, **options})

    async def row(self, key):
        place = Place.of(key)
        return await self.rows.get(place.tenant, place.path)

    async def found(self, query, tenant=None, roles=(), **options):
        """The texts that a search finds, best first. It is as new as another process's."""
        knowledge = Knowledge.of(self.settings, self.bucket)
        found = await knowledge.search(query, tenant=tenant, roles=roles, **options)
        return [each.passage.text for each in found]

    async def vectors(self, index=None):
        """Every vector of an index, by its key: its metadata."""
        current = await CurrentIndex(self.bucket).read()
        index = index or current.index.index
        pages = client("s3vectors").list_vectors(
            vectorBucketName=self.name, indexName=index, returnMetadata=True, maxResults=1000
        )
        assert "nextToken" not in pages
        return {each["key"]: each["metadata"] for each in pages["vectors"]}

    def objects(self, prefix="knowledge-index/"):
        pages = client("s3").get_paginator("list_objects_v2")
        pages = pages.paginate(Bucket=self.name, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]
