"""Search: by meaning and by words at the same time, fused by rank.

Reciprocal rank fusion: a passage scores 1 / (60 + rank) for each list that has it. Cormack, Clarke
and Büttcher, 2009: https://dl.acm.org/doi/10.1145/1571941.1572114
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Self

from ..aws.bucket import Bucket
from ..settings import Settings
from .passages import Passage

TOP: Final = 6


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

    `before` and `after` are the text of its neighbours, empty where there are none. The link of a
    PDF ends with `#page=<n>`.
    """

    before: str
    passage: Passage
    after: str
    title: str
    path: str
    link: str


class Knowledge:
    """Searches the current index."""

    def __init__(self, bucket: Bucket, settings: Settings) -> None:
        self._bucket = bucket
        self._settings = settings

    @classmethod
    def of(cls, settings: Settings, bucket: Bucket | None = None) -> Self:
        """The knowledge of this deployment. Opens no connection and reads no secret."""
        raise NotImplementedError

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

        Only documents of nobody and of this tenant, which these roles may see, and of those with
        `tags` only such as have one of them. At most three round trips one after the other, and one
        more a minute. Raises what the embedding model and AWS raise.
        """
        raise NotImplementedError

    async def passage(
        self, passage_id: str, *, tenant: str | None, roles: Collection[str]
    ) -> PassageView | None:
        """A passage of the current index; `None` for one that is not there, or that somebody else
        may see only. Any text may be given as id. One round trip.
        """
        raise NotImplementedError
