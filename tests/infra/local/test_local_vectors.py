"""moto's S3 Vectors, with the search that `make dev` adds, does what AWS documents."""

import math
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.aws.clients import client
from tests.support.cloud import own_cloud

DIMENSION = 3


@pytest.fixture(scope="module")
def bucket():
    with pytest.MonkeyPatch.context() as patch, own_cloud(patch, CHATKIT_KNOWLEDGE="true") as own:
        yield own["CHATKIT_VECTOR_BUCKET"]


class Index:
    def __init__(self, bucket, metric="cosine", not_filterable=("text",)):
        self.named = {"vectorBucketName": bucket, "indexName": f"i-{uuid4().hex}"}
        self.metric = metric
        self.ask(
            "create_index",
            dataType="float32",
            dimension=DIMENSION,
            distanceMetric=metric,
            metadataConfiguration={"nonFilterableMetadataKeys": list(not_filterable)},
        )

    def ask(self, operation, **parameters):
        return getattr(client("s3vectors"), operation)(**self.named, **parameters)

    def put(self, vectors):
        entries = [
            {"key": key, "data": {"float32": data}, "metadata": metadata}
            for key, data, metadata in vectors
        ]
        self.ask("put_vectors", vectors=entries)

    def query(self, vector, top=100, **asked):
        answer = self.ask("query_vectors", queryVector={"float32": vector}, topK=top, **asked)
        assert answer["distanceMetric"] == self.metric
        return answer["vectors"]

    def found(self, **asked):
        return {each["key"] for each in self.query([1.0, 0.0, 0.0], **asked)}


def refused(index, operation="query_vectors", **parameters):
    with pytest.raises(ClientError) as raised:
        index.ask(operation, **parameters)
    assert raised.value.response["Error"]["Code"] == "ValidationException"
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return raised.value.response["Error"]["Message"]


# Numbers that 32 bits hold exactly, so that the computation below may use 64.
NUMBERS = st.integers(-64, 64).map(lambda number: number / 8)
VECTORS = st.lists(NUMBERS, min_size=DIMENSION, max_size=DIMENSION).filter(any)
VALUES = st.sampled_from(["a", "b", 1, 2.5, True, ["a"], ["a", "b"], ["c"]])
METADATA = st.dictionaries(st.sampled_from(["x", "y"]), VALUES)
PRIMITIVE = st.sampled_from(["a", "b", 1, 2.5, True])
CONDITION = st.one_of(
    PRIMITIVE,
    st.fixed_dictionaries({"$eq": PRIMITIVE}),
    st.fixed_dictionaries({"$ne": PRIMITIVE}),
    st.fixed_dictionaries({"$gt": st.sampled_from([0, 1, 2])}),
    st.fixed_dictionaries({"$gte": st.just(1), "$lt": st.sampled_from([2, 3])}),
    st.fixed_dictionaries({"$in": st.lists(PRIMITIVE, min_size=1, max_size=2)}),
    st.fixed_dictionaries({"$nin": st.lists(PRIMITIVE, min_size=1, max_size=2)}),
    st.fixed_dictionaries({"$exists": st.booleans()}),
)
FIELD = st.builds(lambda name, condition: {name: condition}, st.sampled_from("xy"), CONDITION)
FILTERS = st.recursive(
    FIELD,
    lambda inner: st.builds(
        lambda name, parts: {name: parts},
        st.sampled_from(["$and", "$or"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=4,
)


def typed(value):
    """In JSON, true is not 1."""
    return ("boolean", value) if isinstance(value, bool) else ("other", value)


def expected_match(metadata, wanted):
    ((name, condition),) = wanted.items()
    if name == "$and":
        return min(expected_match(metadata, part) for part in condition)
    if name == "$or":
        return max(expected_match(metadata, part) for part in condition)
    there = metadata.get(name, [])
    values = {typed(value) for value in (there if isinstance(there, list) else [there])}
    numbers = [value for kind, value in values if kind == "other" and not isinstance(value, str)]
    one = isinstance(there, list) is False
    if not isinstance(condition, dict):
        condition = {"$eq": condition}
    answers = {
        "$eq": lambda operand: typed(operand) in values,
        "$ne": lambda operand: typed(operand) not in values,
        "$in": lambda operand: bool(values & set(map(typed, operand))),
        "$nin": lambda operand: not values & set(map(typed, operand)),
        "$exists": lambda operand: (name in metadata) == operand,
        "$gt": lambda operand: one and any(number > operand for number in numbers),
        "$gte": lambda operand: one and any(number >= operand for number in numbers),
        "$lt": lambda operand: one and any(number < operand for number in numbers),
    }
    return all(answers[operator](operand) for operator, operand in condition.items())


def expected_distance(metric, one, other):
    if metric == "euclidean":
        return math.sqrt(math.fsum((a - b) ** 2 for a, b in zip(one, other, strict=True)))
    angle = math.fsum(a * b for a, b in zip(one, other, strict=True))
    return 1 - angle / (math.hypot(*one) * math.hypot(*other))


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    vectors=st.lists(st.tuples(VECTORS, METADATA), min_size=1, max_size=8),
    query=VECTORS,
    top=st.integers(1, 10),
    wanted=st.none() | FILTERS,
)
def test_a_query_gives_what_a_computation_of_its_own_gives(
    *, bucket, metric, vectors, query, top, wanted
):
    index = Index(bucket, metric)
    entries = [(str(at), data, metadata) for at, (data, metadata) in enumerate(vectors)]
    index.put(entries)
    asked = {} if wanted is None else {"filter": wanted}
    found = index.query(query, top, returnDistance=True, returnMetadata=True, **asked)
    matching = {
        key: expected_distance(metric, query, data)
        for key, data, metadata in entries
        if wanted is None or expected_match(metadata, wanted)
    }
    nearest = sorted(matching.values())[:top]
    assert [each["distance"] for each in found] == pytest.approx(nearest, abs=1e-5)
    metadata_of = {key: metadata for key, _, metadata in entries}
    for each in found:
        assert each["distance"] == pytest.approx(matching[each["key"]], abs=1e-5)
        assert each["metadata"] == metadata_of[each["key"]]
    assert len({each["key"] for each in found}) == len(found)


def test_a_boolean_is_no_number(bucket):
    index = Index(bucket)
    index.put([("one", [1, 0, 0], {"x": 1}), ("true", [1, 0, 0], {"x": [True]})])
    assert index.found(filter={"x": 1}) == {"one"}
    assert index.found(filter={"x": {"$in": [True]}}) == {"true"}
    assert index.found(filter={"x": {"$gte": 1}}) == {"one"}


def test_a_query_returns_keys_alone_unless_it_asks_for_more(bucket):
    index = Index(bucket)
    index.put([("a", [1, 0, 0], {"x": "1"})])
    assert index.query([1, 0, 0]) == [{"key": "a"}]
    assert index.query([2, 0, 0], returnMetadata=True) == [{"key": "a", "metadata": {"x": "1"}}]


def test_a_vector_that_is_put_again_or_deleted_is_found_as_it_is_now(bucket):
    index = Index(bucket)
    index.put([("a", [1, 0, 0], {"x": "1"}), ("b", [0, 1, 0], {"x": "1"})])
    index.put([("a", [0, 0, 1], {"x": "2"})])
    index.ask("delete_vectors", keys=["b", "never"])
    assert index.query([0, 0, 1], returnMetadata=True) == [{"key": "a", "metadata": {"x": "2"}}]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"topK": 101}, "topK"),
        ({"queryVector": {"float32": [1.0, 2.0]}}, "must have length 3, but has length 2"),
        ({"queryVector": {"float32": [0.0, 0.0, 0.0]}}, "zero vector"),
        ({"filter": {"text": "a"}}, "non-filterable"),
        ({"filter": {"$and": [{"x": "a"}, {"text": {"$exists": True}}]}}, "non-filterable"),
        ({"filter": {}}, "one name"),
        ({"filter": {"x": "a", "y": "b"}}, "one name"),
        ({"filter": {"x": {}}}, "no operator"),
        ({"filter": {"x": {"$like": "a"}}}, "no operator"),
        ({"filter": {"$not": [{"x": "a"}]}}, "no operator"),
        ({"filter": {"$or": []}}, "not empty"),
        ({"filter": {"x": {"$in": []}}}, "takes a list"),
        ({"filter": {"x": {"$in": "a"}}}, "takes a list"),
        ({"filter": {"x": {"$eq": ["a"]}}}, "takes a text"),
        ({"filter": {"x": {"$gt": "a"}}}, "takes a number"),
        ({"filter": {"x": {"$exists": "yes"}}}, "takes a boolean"),
        ({"queryTexts": [{"text": "a", "metadataKey": "x"}]}, "queryTexts"),
    ],
)
def test_a_query_that_aws_does_not_document_is_refused(bucket, changed, why):
    index = Index(bucket)
    asked = {"queryVector": {"float32": [1.0, 0.0, 0.0]}, "topK": 5, **changed}
    assert why in refused(index, **asked)


@pytest.mark.parametrize(
    ("vector", "why"),
    [
        ({"data": {"float32": [1.0]}}, "must have length 3, but has length 1"),
        ({"data": {"float32": [0.0, 0.0, 0.0]}}, "zero vector"),
        ({"metadata": {"x": "a" * 2048}}, "Filterable metadata must have at most 2048 bytes"),
        ({"metadata": {"text": "a" * 40 * 1024}}, "at most 40960 bytes"),
        ({"metadata": {"x": []}}, "texts, numbers, booleans or lists"),
        ({"metadata": {"x": None}}, "texts, numbers, booleans or lists"),
        ({"metadata": {str(at): 1 for at in range(51)}}, "at most 50"),
    ],
)
def test_a_vector_that_aws_does_not_take_is_refused_with_all_beside_it(bucket, vector, why):
    index = Index(bucket)
    good = {"key": "good", "data": {"float32": [1.0, 0.0, 0.0]}}
    assert why in refused(index, "put_vectors", vectors=[good, {**good, "key": "bad", **vector}])
    assert index.found() == set()


def test_a_long_text_that_no_filter_may_name_is_stored(bucket):
    index = Index(bucket)
    index.put([("a", [1, 0, 0], {"text": "ä" * 15_000})])
    assert index.query([1, 0, 0], returnMetadata=True)[0]["metadata"]["text"] == "ä" * 15_000


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("put_vectors", {"vectors": [{"key": "a", "data": {"float32": [1, 0, 0]}}] * 501}),
        ("get_vectors", {"keys": ["a"] * 101}),
        ("delete_vectors", {"keys": ["a"] * 501}),
    ],
)
def test_a_request_for_too_many_is_refused(bucket, operation, parameters):
    refused(Index(bucket), operation, **parameters)


def test_an_index_that_is_there_is_not_made_again(bucket):
    index = Index(bucket)
    index.put([("a", [1, 0, 0], {})])
    with pytest.raises(client("s3vectors").exceptions.ConflictException):
        index.ask("create_index", dataType="float32", dimension=3, distanceMetric="cosine")
    assert index.found() == {"a"}
    shown = index.ask("get_index")["index"]
    assert shown["metadataConfiguration"] == {"nonFilterableMetadataKeys": ["text"]}


def test_an_index_that_is_not_there_is_said(bucket):
    index = Index(bucket)
    index.ask("delete_index")
    with pytest.raises(client("s3vectors").exceptions.NotFoundException):
        index.query([1, 0, 0])
