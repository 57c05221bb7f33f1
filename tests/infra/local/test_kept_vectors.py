"""The file of `make dev` keeps vectors, and only those that changed are written."""

import sqlite3
from contextlib import closing
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from functions.aws.clients import client
from infra.local.kept_vectors import SCHEMA, KeptVectors, Seen
from tests.support.cloud import own_cloud


@pytest.fixture(scope="module", autouse=True)
def cloud():
    with pytest.MonkeyPatch.context() as patch, own_cloud(patch):
        yield


@pytest.fixture
def file(tmp_path):
    with closing(sqlite3.connect(tmp_path / "state.sqlite3")) as file:
        file.executescript(SCHEMA)
        yield file


class Run:
    """A vector bucket of another `make dev` with the same file."""

    def __init__(self, file):
        self.file, self.bucket = file, f"tests-{uuid4().hex}"
        client("s3vectors").create_vector_bucket(vectorBucketName=self.bucket)
        self.kept = KeptVectors("us-east-1", self.bucket)
        self.seen = self.kept.restore(file)

    def save(self):
        changes = self.kept.changes(self.seen)
        with self.file:
            self.kept.save(self.file, changes)
        self.seen = changes.seen
        return changes

    def ask(self, operation, index, **asked):
        method = getattr(client("s3vectors"), operation)
        return method(vectorBucketName=self.bucket, indexName=index, **asked)

    def index(self, name, dimension=2, metric="cosine"):
        self.ask(
            "create_index",
            name,
            dataType="float32",
            dimension=dimension,
            distanceMetric=metric,
            metadataConfiguration={"nonFilterableMetadataKeys": ["text"]},
        )

    def store(self, index, key, *numbers, **metadata):
        vector = {"key": key, "data": {"float32": numbers}, "metadata": metadata}
        self.ask("put_vectors", index, vectors=[vector])

    def all(self):
        listed = client("s3vectors").list_indexes(vectorBucketName=self.bucket)["indexes"]
        asked = {"returnData": True, "returnMetadata": True}
        return {
            each["indexName"]: {
                vector["key"]: (vector["data"]["float32"], vector["metadata"])
                for vector in self.ask("list_vectors", each["indexName"], **asked)["vectors"]
            }
            for each in listed
        }


def test_an_index_comes_back_with_what_it_refuses_and_finds(file):
    first = Run(file)
    first.index("one")
    first.store("one", "a", 0.1, 1.0, tenant="ä", roles=["x"], text="long")
    first.index("two", 1, "euclidean")
    first.save()
    second = Run(file)
    assert second.all() == first.all()
    with pytest.raises(ClientError, match="must have length 1"):
        second.store("two", "b", 0.5, 0.5)
    asked = {"queryVector": {"float32": [0.1, 1.0]}, "topK": 1}
    found = second.ask("query_vectors", "one", filter={"roles": "x"}, **asked)
    assert (found["vectors"], found["distanceMetric"]) == ([{"key": "a"}], "cosine")
    with pytest.raises(ClientError, match="non-filterable"):
        second.ask("query_vectors", "one", filter={"text": "long"}, **asked)
    assert not second.save()


def test_what_was_changed_or_deleted_stays_so(file):
    first = Run(file)
    for name in ("kept", "gone", "made again"):
        first.index(name)
        first.store(name, "a", 1.0, 0.0)
        first.store(name, "b", 1.0, 0.0)
    first.save()
    second = Run(file)
    second.store("kept", "b", 0.0, 1.0)
    second.ask("delete_vectors", "kept", keys=["a"])
    second.save()
    for name in ("gone", "made again"):
        second.ask("delete_index", name)
    second.index("made again", 1)
    second.store("made again", "c", 0.5)
    second.save()
    assert second.all() == {
        "kept": {"b": ([0.0, 1.0], {})},
        "made again": {"c": ([0.5], {})},
    }
    assert Run(file).all() == second.all()


def test_only_what_changed_is_written(file):
    run = Run(file)
    run.index("one")
    run.store("one", "a", 1.0, 0.0)
    run.store("one", "b", 1.0, 0.0)
    assert run.save()
    before = file.total_changes
    run.store("one", "b", 0.0, 1.0)
    assert run.save().vectors.keys() == {("one", "b")}
    assert file.total_changes - before <= 2  # the row of "b", and the one that it replaces
    before = file.total_changes
    assert not run.save()
    assert file.total_changes == before


def test_a_restored_index_that_nothing_has_seen_is_written_whole(file, tmp_path):
    """As when the file was broken and is begun anew."""
    first = Run(file)
    first.index("one")
    first.store("one", "a", 1.0, 0.0)
    first.save()
    second = Run(file)
    second.seen = Seen()
    with closing(sqlite3.connect(tmp_path / "new.sqlite3")) as new:
        new.executescript(SCHEMA)
        second.file = new
        second.save()
        assert Run(new).all() == {"one": {"a": ([1.0, 0.0], {})}}


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE vectors SET data = x'00'",
        "UPDATE vectors SET data = x'0000803f'",
        "UPDATE vectors SET metadata = '{'",
        "DELETE FROM vector_indexes",
    ],
)
def test_a_damaged_file_is_said_to_be(file, damage):
    run = Run(file)
    run.index("one")
    run.store("one", "a", 1.0, 0.0)
    run.save()
    file.executescript(damage)
    with pytest.raises(ValueError, match=r"."):
        Run(file)
