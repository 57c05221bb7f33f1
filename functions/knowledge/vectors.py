"""The vectors of passages, in one index of an S3 Vectors bucket.

AWS's limits, which every method keeps to:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-limitations.html

**Who may see a vector** stands in its metadata, in two values that every vector has: a `tenant`
and `roles`. Nobody's tenant and no role are values, too (`EVERYBODY`), and names of tenants and
roles have an `@` before them, so that no name can be mistaken for it. So a filter asks for values
that are there. A vector that lacks one of them by mistake is seen by nobody.
"""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from ..aws.clients import call, client
from .batches import at_once, batches

EVERYBODY: Final = "everybody"
"""The `tenant` of what each tenant's people may see, and the `roles` of what needs no role."""

NOT_FILTERABLE: Final = ("text", "headings", "title", "path", "page", "anchor")
"""Metadata that no filter may name: together with the rest it may be 40 KB, and the rest may be
2 KB. An index gets this list when it is made, and keeps it."""

MAX_TOP: Final = 100
"""Results that `QueryVectors` gives at most."""
PUT_BATCH: Final = 500
DELETE_BATCH: Final = 500
GET_BATCH: Final = 100
PUT_BYTES: Final = 8 * 1024 * 1024
"""A request of `PutVectors`, estimated. AWS takes 20 MiB; half of that arrives sooner."""
METADATA_BYTES: Final = 40 * 1024
FILTERABLE_BYTES: Final = 2 * 1024

WRITES_AT_ONCE: Final = 2
"""AWS takes 2,500 vectors a second for an index."""
READS_AT_ONCE: Final = 8

_NUMBER_BYTES: Final = 16
_LATER: Final = frozenset(
    {
        "TooManyRequestsException",
        "ServiceUnavailableException",
        "InternalServerException",
        "RequestTimeoutException",
    }
)

Filter = dict[str, Any]
"""A filter of `QueryVectors`:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-metadata-filtering.html"""


@dataclass(frozen=True)
class Vector:
    """One vector to store.

    `metadata` has what `seen_by` returns, and `document`, which filters may name; and of
    `NOT_FILTERABLE` what there is. A value is a text, a number, a boolean or a list of texts; it is
    never `None` and never an empty list.
    """

    key: str
    data: Sequence[float]
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class VectorHit:
    """One result of a query. `distance` is the cosine distance: 0 (the same direction) to 2."""

    key: str
    distance: float
    metadata: dict[str, Any]


class VectorsError(Exception):
    """An operation on the index failed. The message is for the log, and has no text of passages."""


class ThrottledVectorsError(VectorsError):
    """S3 Vectors did not do it now, also after the retries: it is asked too often, or is not
    available, or did not answer in time. The same operation may work in a minute.
    """


class NoIndexError(VectorsError):
    """There is no such index or no such bucket."""


def seen_by(
    tenant: str | None, roles: Iterable[str] = (), tags: Iterable[str] = ()
) -> dict[str, Any]:
    """The metadata that says who may see a document's vectors, and its tags.

    A document without a tenant is for everybody of the stage, and one with roles is for people who
    have one of them.
    """
    metadata: dict[str, Any] = {
        "tenant": EVERYBODY if tenant is None else f"@{tenant}",
        "roles": _named(roles) or [EVERYBODY],
    }
    if found := sorted(set(tags)):
        metadata["tags"] = found
    return metadata


def who_may_see(tenant: str | None, roles: Iterable[str] = (), tags: Iterable[str] = ()) -> Filter:
    """The filter of what a person of this tenant, with these roles, may see.

    That is what is everybody's or this tenant's, and needs no role or one of these. With `tags`,
    it has one of them besides.

    `$eq` matches a list when one of its elements is the value; that `$in` does so as well is not
    documented. Hence `$or` with `$eq`.
    """
    conditions = [
        _one_of("tenant", [EVERYBODY] if tenant is None else [EVERYBODY, f"@{tenant}"]),
        _one_of("roles", [EVERYBODY, *_named(roles)]),
    ]
    if wanted := sorted(set(tags)):
        conditions.append(_one_of("tags", wanted))
    return {"$and": conditions}


def _named(roles: Iterable[str]) -> list[str]:
    return sorted({f"@{role}" for role in roles})


def _one_of(name: str, values: list[str]) -> Filter:
    conditions = [{name: {"$eq": value}} for value in values]
    return conditions[0] if len(conditions) == 1 else {"$or": conditions}


class Vectors:
    """One index. Methods raise `ThrottledVectorsError`, `NoIndexError` or `VectorsError`.

    botocore retries as `functions.aws.clients` says, and methods do not besides. A method needs the
    right to the operation of its name; `query` to `GetVectors`, too, because it filters and returns
    metadata, and `create` to `GetIndex`.
    """

    def __init__(self, bucket: str, index: str) -> None:
        self.bucket = bucket
        self.index = index

    async def create(self, dimension: int) -> None:
        """Make the index, with cosine distance. One that is there stays as it is.

        Raises `VectorsError` when the one that is there has another dimension.
        """
        try:
            await self._ask(
                "create_index",
                dataType="float32",
                dimension=dimension,
                distanceMetric="cosine",
                metadataConfiguration={"nonFilterableMetadataKeys": list(NOT_FILTERABLE)},
            )
        except VectorsError as error:
            if _code(error.__cause__) != "ConflictException":
                raise
            index = (await self._ask("get_index"))["index"]
            if index["dimension"] != dimension:
                raise VectorsError(
                    f"the index {self.index} is for vectors of {index['dimension']} numbers, "
                    f"not of {dimension}"
                ) from None

    async def put(self, vectors: Sequence[Vector]) -> None:
        """Store vectors; one with the key of another replaces it. One request for each 500, or for
        `PUT_BYTES`.

        Raises `ValueError` before anything is stored when AWS would refuse one: its metadata is
        over the limits, or it has no direction. When it raises another error, some may be stored.
        """

        async def store(batch: Sequence[Vector]) -> None:
            entries = await call(lambda: [_entry(vector) for vector in batch])
            await self._ask("put_vectors", vectors=entries)

        # Half a million numbers take a while, so threads go through them.
        asked = await call(_put_batches, vectors=vectors)
        await at_once(WRITES_AT_ONCE, store, asked)

    async def existing(self, keys: Iterable[str]) -> set[str]:
        """Which of the keys are in the index. One request for each 100."""
        return {found["key"] for found in await self._get(keys)}

    async def get(self, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The metadata of those keys that are in the index. One request for each 100."""
        found = await self._get(keys, returnMetadata=True)
        return {each["key"]: each.get("metadata") or {} for each in found}

    async def delete(self, keys: Iterable[str]) -> None:
        """Remove vectors; unknown keys are fine. One request for each 500."""

        async def remove(batch: Sequence[str]) -> None:
            await self._ask("delete_vectors", keys=list(batch))

        await at_once(WRITES_AT_ONCE, remove, list(batches(keys, DELETE_BATCH)))

    async def query(
        self,
        vector: Sequence[float],
        top: int,
        filter: Filter | None = None,  # noqa: A002 - AWS's name
    ) -> list[VectorHit]:
        """The `top` nearest vectors, at most `MAX_TOP`, the nearest first. One request."""
        if not 1 <= top <= MAX_TOP:
            raise ValueError(f"a query gives 1 to {MAX_TOP} results")
        answer = await self._ask(
            "query_vectors",
            queryVector={"float32": [_float32(number) for number in vector]},
            topK=top,
            returnDistance=True,
            returnMetadata=True,
            **({} if filter is None else {"filter": filter}),
        )
        return [
            VectorHit(found["key"], found["distance"], found.get("metadata") or {})
            for found in answer["vectors"]
        ]

    async def drop(self) -> None:
        """Remove the index with all that it holds; an unknown one is fine."""
        try:
            await self._ask("delete_index")
        except NoIndexError:
            return

    async def _get(self, keys: Iterable[str], **asked: bool) -> list[dict[str, Any]]:
        async def read(batch: Sequence[str]) -> list[dict[str, Any]]:
            answer = await self._ask("get_vectors", keys=list(batch), **asked)
            found: list[dict[str, Any]] = answer["vectors"]
            return found

        pages = await at_once(READS_AT_ONCE, read, list(batches(keys, GET_BATCH)))
        return [found for page in pages for found in page]

    async def _ask(self, operation: str, **parameters: Any) -> dict[str, Any]:
        method = getattr(client("s3vectors"), operation)
        try:
            answer: dict[str, Any] = await call(
                method, vectorBucketName=self.bucket, indexName=self.index, **parameters
            )
        except ClientError as error:
            code = _code(error)
            kind = ThrottledVectorsError if code in _LATER else VectorsError
            kind = NoIndexError if code == "NotFoundException" else kind
            message = error.response["Error"].get("Message", "")
            raise kind(f"{operation} of {self.index}: {code}: {message}") from error
        except BotoCoreError as error:
            raise ThrottledVectorsError(
                f"{operation} of {self.index}: {type(error).__name__}"
            ) from error
        return answer


def _code(error: BaseException | None) -> str:
    return str(error.response["Error"].get("Code")) if isinstance(error, ClientError) else ""


def _checked_size(vector: Vector) -> int:
    """Bytes that a vector takes in a request, estimated. Raises `ValueError`: see `put`."""
    # Cosine distance knows no vector without a direction:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_S3VectorBuckets_PutInputVector.html
    if not all(map(math.isfinite, vector.data)) or not any(vector.data):
        raise ValueError(f"the vector {vector.key} has no direction, or a number that is none")
    metadata = vector.metadata
    filterable = {name: metadata[name] for name in metadata.keys() - set(NOT_FILTERABLE)}
    if _bytes(filterable) > FILTERABLE_BYTES:
        raise ValueError(
            f"tenant, roles and tags of {vector.key} are over {FILTERABLE_BYTES:,} bytes together"
        )
    if _bytes(metadata) > METADATA_BYTES:
        raise ValueError(f"the metadata of {vector.key} are over {METADATA_BYTES:,} bytes")
    return len(vector.data) * _NUMBER_BYTES + len(json.dumps(metadata)) + len(vector.key)


def _bytes(metadata: dict[str, Any]) -> int:
    return len(json.dumps(metadata, ensure_ascii=False).encode())


def _float32(number: float) -> float:
    """The number with the digits that a `float32` has: a request is then 40 % shorter."""
    return float(f"{number:.9g}")


def _entry(vector: Vector) -> dict[str, Any]:
    numbers = [_float32(number) for number in vector.data]
    return {"key": vector.key, "data": {"float32": numbers}, "metadata": vector.metadata}


def _put_batches(vectors: Sequence[Vector]) -> list[Sequence[Vector]]:
    """Raises `ValueError`: see `put`."""
    sizes = [_checked_size(vector) for vector in vectors]
    found: list[Sequence[Vector]] = []
    begin = size = 0
    for at, each in enumerate(sizes):
        if at > begin and (at - begin == PUT_BATCH or size + each > PUT_BYTES):
            found.append(vectors[begin:at])
            begin, size = at, 0
        size += each
    return [*found, vectors[begin:]] if vectors else []
