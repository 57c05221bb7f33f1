"""Adds `QueryVectors` to moto's S3 Vectors, and AWS's checks to the operations before it.

moto 5.2 stores vectors and has no search. This one is exact, over what moto holds. It follows AWS's
documentation, and refuses what that does not describe, so that nothing works here only:

- https://docs.aws.amazon.com/AmazonS3/latest/API/API_S3VectorBuckets_QueryVectors.html
- https://docs.aws.amazon.com/AmazonS3/latest/API/API_S3VectorBuckets_PutInputVector.html
- https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-limitations.html

Full text (`queryTexts`) and pages (`nextToken`) of results are not here. moto is slow to import, so
whoever needs this module imports it late.
"""

import contextlib
import heapq
import json
import math
from array import array
from collections.abc import Iterator, Sequence
from operator import mul
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.s3vectors import urls
from moto.s3vectors.exceptions import ValidationError
from moto.s3vectors.responses import S3VectorsResponse

from infra.local.vector_filter import FilterError, Matches, compiled

MAX_TOP: Final = 100
PUT_MOST: Final = 500
DELETE_MOST: Final = 500
GET_MOST: Final = 100
NOT_FILTERABLE_MOST: Final = 10
METADATA_KEYS: Final = 50
METADATA_BYTES: Final = 40 * 1024
FILTERABLE_BYTES: Final = 2 * 1024


@contextlib.contextmanager
def searchable_vectors() -> Iterator[None]:
    """Make moto's servers that start while the block runs answer `QueryVectors`, too."""
    theirs = dict(urls.url_paths)
    paths = [*theirs, "{0}/QueryVectors$"]
    urls.url_paths.update(dict.fromkeys(paths, SearchableVectors.dispatch))
    try:
        yield
    finally:
        urls.url_paths.clear()
        urls.url_paths.update(theirs)


def prepare(index: Any, not_filterable: Sequence[str]) -> None:
    """Give moto's index what moto does not keep: keys that no filter may name, and a journal, the
    keys of vectors that are put or deleted.
    """
    index.metadata_configuration = {"nonFilterableMetadataKeys": list(not_filterable)}
    index.journal = []


def not_filterable(index: Any) -> list[str]:
    names: list[str] = index.metadata_configuration["nonFilterableMetadataKeys"]
    return names


def data_of(numbers: Sequence[float]) -> dict[str, Any]:
    """A vector's data as moto holds it here: in 32 bits, and with its length, for its distances."""
    short = array("f", numbers)
    return {"float32": short, "length": math.sqrt(_product(short, short))}


class SearchableVectors(S3VectorsResponse):
    """moto's S3 Vectors. Its methods are called by the names of operations."""

    def create_index(self) -> ActionResult:
        bucket = self._backend.get_vector_bucket(
            self._get_param("vectorBucketName"), self._get_param("vectorBucketArn")
        )
        name = self._get_param("indexName")
        if any(index.index_name == name for index in bucket.indexes.values()):
            conflict = ValidationError("An index with the specified name already exists")
            conflict.code = "ConflictException"
            raise conflict
        keys = (self._get_param("metadataConfiguration") or {}).get("nonFilterableMetadataKeys")
        keys = keys or []
        _need(len(keys) <= NOT_FILTERABLE_MOST, f"at most {NOT_FILTERABLE_MOST} keys")
        answer = super().create_index()
        (made,) = (index for index in bucket.indexes.values() if index.index_name == name)
        prepare(made, keys)
        return answer

    def put_vectors(self) -> ActionResult:
        index, vectors = self._index(), self._get_param("vectors")
        _need(1 <= len(vectors) <= PUT_MOST, f"1 to {PUT_MOST} vectors")
        for vector in vectors:
            _check(vector, index)
        # moto changes nothing when one of them has another dimension.
        self._backend.put_vectors(
            *self._named,
            [{**vector, "data": data_of(vector["data"]["float32"])} for vector in vectors],
        )
        index.journal.extend(vector["key"] for vector in vectors)
        return ActionResult({})

    def delete_vectors(self) -> ActionResult:
        keys = self._get_param("keys")
        _need(1 <= len(keys) <= DELETE_MOST, f"1 to {DELETE_MOST} keys")
        answer = super().delete_vectors()
        self._index().journal.extend(keys)
        return answer

    def get_vectors(self) -> ActionResult:
        _need(1 <= len(self._get_param("keys")) <= GET_MOST, f"1 to {GET_MOST} keys")
        return super().get_vectors()

    def query_vectors(self) -> ActionResult:
        index = self._index()
        for name in ("queryTexts", "nextToken"):
            _need(self._get_param(name) is None, f"{name} is not here")
        top, asked = self._get_param("topK"), self._get_param("queryVector") or {}
        _need(1 <= top <= MAX_TOP, f"topK must be between 1 and {MAX_TOP}, inclusive")
        numbers = asked.get("float32", [])
        _need(
            len(numbers) == index.dimension,
            f"Query vector must have length {index.dimension}, but has length {len(numbers)}",
        )
        _check_numbers(numbers, index, "the query vector")
        query = data_of(numbers)
        matches = self._filter(index)
        distance = _cosine if index.distance_metric == "cosine" else _euclidean
        found = heapq.nsmallest(
            top,
            (
                (distance(query, vector.data), vector.key, vector)
                for vector in list(index.vectors.values())
                if matches(vector.metadata)
            ),
            key=lambda result: result[:2],
        )
        with_distance = self._get_param("returnDistance")
        with_metadata = self._get_param("returnMetadata")
        return ActionResult(
            {
                "vectors": [
                    {
                        "key": key,
                        "distance": far if with_distance else None,
                        "metadata": vector.metadata if with_metadata else None,
                    }
                    for far, key, vector in found
                ],
                "distanceMetric": index.distance_metric,
            }
        )

    @property
    def _backend(self) -> Any:
        return self.s3vectors_backend

    @property
    def _named(self) -> list[str | None]:
        names = ("vectorBucketName", "indexName", "indexArn")
        return [self._get_param(name) for name in names]

    def _index(self) -> Any:
        bucket, name, arn = self._named
        _need(
            bool(arn) is not bool(name and bucket),
            "Must specify either indexArn or both vectorBucketName and indexName",
        )
        return self._backend.get_index(bucket, name, arn)

    def _filter(self, index: Any) -> Matches:
        asked = self._get_param("filter")
        if asked is None:
            return lambda _: True
        try:
            return compiled(asked, frozenset(not_filterable(index)))
        except FilterError as error:
            raise ValidationError(f"Invalid filter: {error}") from None


def _check(vector: dict[str, Any], index: Any) -> None:
    key, metadata = vector["key"], vector.get("metadata") or {}
    name = f"Invalid record for key '{key}'"
    _check_numbers(vector["data"]["float32"], index, name)
    _need(len(metadata) <= METADATA_KEYS, f"{name}: at most {METADATA_KEYS} metadata keys")
    for each in metadata.values():
        values = each if isinstance(each, list) else [each]
        right = all(isinstance(value, str | int | float | bool) for value in values)
        _need(right and bool(values), f"{name}: metadata are texts, numbers, booleans or lists")
    filterable = {each: metadata[each] for each in metadata.keys() - set(not_filterable(index))}
    _need(
        _bytes(filterable) <= FILTERABLE_BYTES,
        f"{name}: Filterable metadata must have at most {FILTERABLE_BYTES} bytes",
    )
    _need(
        _bytes(metadata) <= METADATA_BYTES,
        f"{name}: Metadata must have at most {METADATA_BYTES} bytes",
    )


def _check_numbers(numbers: Sequence[float], index: Any, name: str) -> None:
    _need(all(map(math.isfinite, numbers)), f"{name}: a number is NaN or infinite")
    zero = index.distance_metric == "cosine" and not any(array("f", numbers))
    _need(not zero, f"{name}: cosine distance allows no zero vector")


def _need(right: bool, message: str) -> None:
    if not right:
        raise ValidationError(message)


def _bytes(metadata: dict[str, Any]) -> int:
    return len(json.dumps(metadata, ensure_ascii=False).encode())


def _product(one: Sequence[float], other: Sequence[float]) -> float:
    product: float = sum(map(mul, one, other))
    return product


def _cosine(one: dict[str, Any], other: dict[str, Any]) -> float:
    lengths: float = one["length"] * other["length"]
    return 1 - _product(one["float32"], other["float32"]) / lengths


def _euclidean(one: dict[str, Any], other: dict[str, Any]) -> float:
    return math.dist(one["float32"], other["float32"])
