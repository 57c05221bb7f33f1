"""The vectors of passages, in one index of an S3 Vectors bucket.

AWS's limits, which every method keeps to:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-limitations.html

**Who may see a vector** stands in its metadata, in two values that every vector has: a `tenant`
and `roles`. Nobody's tenant and no role are values, too (`EVERYBODY`), and names of tenants and
roles have an `@` before them, so that no name can be mistaken for it. So a filter asks for values
that are there. A vector that lacks one of them by mistake is seen by nobody.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

EVERYBODY: Final = "everybody"
"""The `tenant` of what each tenant's people may see, and the `roles` of what needs no role."""

NOT_FILTERABLE: Final = ("text", "headings", "title", "path", "page", "anchor")
"""Metadata that no filter may name: it may be 40 KB together, where the rest may be 2 KB. An index
has them from the beginning, and they cannot be changed."""

MAX_TOP: Final = 100
"""Results that `QueryVectors` gives at most."""
PUT_BATCH: Final = 500
DELETE_BATCH: Final = 500
GET_BATCH: Final = 100

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
    """S3 Vectors did not take the request now: too many of them, or it is not available.

    The same operation may work in a minute.
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
    raise NotImplementedError


def who_may_see(tenant: str | None, roles: Iterable[str] = (), tags: Iterable[str] = ()) -> Filter:
    """The filter of what a person of this tenant, with these roles, may see.

    That is what is everybody's or this tenant's, and needs no role or one of these. With `tags`,
    it has one of them besides.
    """
    raise NotImplementedError


class Vectors:
    """One index. Methods raise `ThrottledVectorsError`, `NoIndexError` or `VectorsError`."""

    def __init__(self, bucket: str, index: str) -> None:
        self.bucket = bucket
        self.index = index

    async def create(self, dimension: int) -> None:
        """Make the index, with cosine distance. One that is there stays as it is.

        Raises `VectorsError` when the one that is there has another dimension.
        """
        raise NotImplementedError

    async def put(self, vectors: Sequence[Vector]) -> None:
        """Store vectors; one with the key of another replaces it. One request for each 500, or for
        some megabytes.

        Raises `ValueError` for a vector that AWS would refuse: its metadata is too large, say.
        """
        raise NotImplementedError

    async def existing(self, keys: Iterable[str]) -> set[str]:
        """Which of the keys are in the index. One request for each 100."""
        raise NotImplementedError

    async def get(self, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The metadata of those keys that are in the index. One request for each 100."""
        raise NotImplementedError

    async def delete(self, keys: Iterable[str]) -> None:
        """Remove vectors; unknown keys are fine. One request for each 500."""
        raise NotImplementedError

    async def query(
        self,
        vector: Sequence[float],
        top: int,
        filter: Filter | None = None,  # noqa: A002 - as AWS calls it
    ) -> list[VectorHit]:
        """The `top` nearest vectors, at most `MAX_TOP`, the nearest first. One request."""
        raise NotImplementedError

    async def drop(self) -> None:
        """Remove the index with all that it holds; an unknown one is fine."""
        raise NotImplementedError
