"""The index of vectors, over moto with the search of `make dev`."""

import asyncio
from uuid import uuid4

import pytest
from botocore.stub import Stubber

from functions.aws.clients import client
from functions.knowledge import vectors
from functions.knowledge.batches import at_once, batches
from functions.knowledge.vectors import (
    NoIndexError,
    ThrottledVectorsError,
    Vector,
    Vectors,
    VectorsError,
    seen_by,
    who_may_see,
)
from tests.support.cloud import own_cloud


@pytest.fixture(scope="module")
def bucket():
    with pytest.MonkeyPatch.context() as patch, own_cloud(patch, CHATKIT_KNOWLEDGE="true") as own:
        yield own["CHATKIT_VECTOR_BUCKET"]


@pytest.fixture
async def index(bucket):
    index = Vectors(bucket, f"k-{uuid4().hex[:12]}")
    await index.create(2)
    return index


def vector(key, data=(1.0, 0.0), **metadata):
    return Vector(key, list(data), {**seen_by(None), "document": "d", **metadata})


async def test_the_nearest_vectors_come_first_with_their_metadata(index):
    far = vector("far", (0.0, 1.0), text="Ä text", page=3, headings=["A", "B"])
    await index.put([far, vector("near", (1.0, 0.1)), vector("same", (2.0, 0.0))])
    found = await index.query([1.0, 0.0], 3, who_may_see(None))
    assert [hit.key for hit in found] == ["same", "near", "far"]
    assert [hit.distance for hit in found] == pytest.approx([0, 0.00496, 1], abs=1e-4)
    assert found[2].metadata == far.metadata
    assert [hit.key for hit in await index.query([1.0, 0.0], 1)] == ["same"]


DOCUMENTS = {
    "all": seen_by(None),
    "staff": seen_by(None, ["staff"]),
    "staff or admin": seen_by(None, ["admin", "staff"]),
    "acme": seen_by("acme"),
    "acme's staff": seen_by("acme", ["staff"]),
    "other": seen_by("other"),
    "everybody": seen_by("everybody", ["everybody"]),
    "hr": seen_by(None, tags=["hr", "law"]),
}


MISTAKES = {"lacks roles": {"tenant": "everybody"}, "lacks both": {"document": "d"}}


@pytest.fixture(scope="module")
def documents(bucket):
    index = Vectors(bucket, f"k-{uuid4().hex[:12]}")

    async def fill():
        await index.create(2)
        everything = {**DOCUMENTS, **MISTAKES}
        await index.put([Vector(key, [1.0, 0.0], seen) for key, seen in everything.items()])

    asyncio.run(fill())
    return index


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        ((None,), {"all", "hr"}),
        ((None, ["staff"]), {"all", "hr", "staff", "staff or admin"}),
        ((None, ["admin", "reader"]), {"all", "hr", "staff or admin"}),
        (("acme",), {"all", "hr", "acme"}),
        (
            ("acme", ["staff"]),
            {"all", "hr", "staff", "staff or admin", "acme", "acme's staff"},
        ),
        (("@acme", ["@staff"]), {"all", "hr"}),
        (("everybody", []), {"all", "hr"}),
        (("everybody", ["everybody"]), {"all", "hr", "everybody"}),
        ((None, ["everybody"]), {"all", "hr"}),
        (("", [""]), {"all", "hr"}),
        ((None, (), ["law"]), {"hr"}),
        ((None, (), ["law", "other"]), {"hr"}),
        (("acme", ["staff"], ["other"]), set()),
    ],
)
async def test_who_asks_sees_what_is_everybodys_or_theirs_and_nothing_else(documents, asked, seen):
    found = await documents.query([1.0, 0.0], 100, who_may_see(*asked))
    assert {hit.key for hit in found} == seen


async def test_vectors_are_stored_again_read_and_deleted_in_batches(index):
    keys = [f"{number:04}" for number in range(1201)]
    await index.put([vector(key, title="old") for key in keys])
    await index.put([vector("0000", title="new")])
    assert await index.existing([*keys, "never"]) == set(keys)
    got = await index.get(["0000", "0001", "never"])
    assert {key: metadata["title"] for key, metadata in got.items()} == {
        "0000": "new",
        "0001": "old",
    }
    await index.delete([*keys[1:], "never"])
    assert await index.existing(keys) == {"0000"}
    for nothing in (index.put([]), index.delete([]), index.existing([])):
        assert not await nothing


async def test_requests_stay_below_the_largest_that_aws_takes(index, monkeypatch):
    sizes = []
    client("s3vectors").meta.events.register(
        "before-send.s3vectors.PutVectors",
        lambda request, **_: sizes.append(len(request.body)),
        unique_id="sizes",
    )
    monkeypatch.setattr(vectors, "PUT_BYTES", 100_000)
    await index.put([vector(str(number), text="ä" * 3_000) for number in range(50)])
    assert len(await index.existing(map(str, range(50)))) == 50
    assert len(sizes) > 1
    assert max(sizes) <= 100_000
    client("s3vectors").meta.events.unregister(
        "before-send.s3vectors.PutVectors", unique_id="sizes"
    )


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"data": (0.0, 0.0)}, "no direction"),
        ({"data": (float("nan"), 1.0)}, "number that is none"),
        ({"tags": ["t" * 2_048]}, "over 2,048 bytes"),
        ({"text": "ä" * 20_500}, "over 40,960 bytes"),
    ],
)
async def test_a_vector_that_aws_would_refuse_is_refused_before_any_is_stored(index, changed, why):
    with pytest.raises(ValueError, match=why):
        await index.put([vector("good"), vector("bad", **changed)])
    assert await index.existing(["good"]) == set()


async def test_an_index_is_made_once_and_keeps_what_it_has(index):
    await index.put([vector("a")])
    await index.create(2)
    assert await index.existing(["a"]) == {"a"}
    with pytest.raises(VectorsError, match="vectors of 2 numbers, not of 3"):
        await index.create(3)
    shown = client("s3vectors").get_index(vectorBucketName=index.bucket, indexName=index.index)
    assert shown["index"]["distanceMetric"] == "cosine"


async def test_an_index_that_is_gone_is_said_to_be(index):
    await index.drop()
    await index.drop()
    with pytest.raises(NoIndexError):
        await index.query([1.0, 0.0], 5)
    with pytest.raises(NoIndexError):
        await Vectors("never-there", "k-0").create(2)


@pytest.mark.parametrize("top", [0, 101])
async def test_a_query_for_no_or_too_many_results_is_refused(index, top):
    with pytest.raises(ValueError, match="1 to 100"):
        await index.query([1.0, 0.0], top)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("TooManyRequestsException", ThrottledVectorsError),
        ("ServiceUnavailableException", ThrottledVectorsError),
        ("AccessDeniedException", VectorsError),
    ],
)
async def test_an_error_of_aws_says_whether_it_may_work_later(index, code, kind):
    with Stubber(client("s3vectors")) as stubber:
        stubber.add_client_error("query_vectors", code, "words", 429)
        with pytest.raises(VectorsError, match=f"query_vectors of {index.index}: {code}") as raised:
            await index.query([1.0, 0.0], 5)
    assert type(raised.value) is kind


async def test_an_index_that_may_not_be_made_is_not_taken_for_one_that_is_there(index):
    with Stubber(client("s3vectors")) as stubber:
        stubber.add_client_error("create_index", "AccessDeniedException", "words", 403)
        with pytest.raises(VectorsError, match="create_index"):
            await index.create(2)


async def test_so_many_requests_run_at_a_time_and_none_begins_after_an_error():
    running, most, begun = 0, 0, []

    async def send(batch):
        nonlocal running, most
        running, most = running + 1, max(most, running + 1)
        begun.append(batch)
        await asyncio.sleep(0)
        running -= 1
        if batch == [4, 5]:
            raise LookupError
        return sum(batch)

    asked = list(batches(range(13), 2))
    assert await at_once(3, lambda batch: send([*batch, 0]), asked) == [1, 5, 9, 13, 17, 21, 12]
    assert most == 3
    begun.clear()
    with pytest.raises(LookupError):
        await at_once(1, send, asked)
    assert begun == [[0, 1], [2, 3], [4, 5]]
