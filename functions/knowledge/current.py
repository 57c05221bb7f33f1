"""Which index is searched, and which one is built beside it: the object `current.json`.

A search embeds its query with the model that is named there, so a changed setting changes nothing
until `make ingest REINDEX=1`, which builds an index beside the old one and then switches.
"""

from dataclasses import dataclass
from typing import Any, Final

from ..aws.bucket import Bucket

INDEXES: Final = "knowledge-index/"
"""The prefix of all that the indexes keep in the bucket."""
CURRENT: Final = f"{INDEXES}current.json"
CACHED_SECONDS: Final = 60


@dataclass(frozen=True)
class Index:
    """One index, and how it was made. `index` is its name: `k-` and 12 hex digits."""

    index: str
    provider: str
    model: str
    dimension: int
    passage_tokens: int

    @classmethod
    def of(cls, settings: Any) -> "Index":
        """The index that the settings ask for. The same settings name the same index."""
        raise NotImplementedError


@dataclass(frozen=True)
class Current:
    """The index that is searched, and the one that is being built."""

    index: Index
    building: Index | None = None
    etag: str = ""

    @property
    def all(self) -> tuple[Index, ...]:
        """Every index that an ingest writes into."""
        return (self.index, self.building) if self.building else (self.index,)


class CurrentIndex:
    """Reads and changes `current.json`."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    async def read(self, *, fresh: bool = False) -> Current | None:
        """The current index; `None` when nothing was ever ingested. One request, none within
        `CACHED_SECONDS` of the last unless `fresh`.
        """
        raise NotImplementedError

    async def begin(self, wanted: Index) -> Current:
        """Make `wanted` the current index when there is none yet."""
        raise NotImplementedError

    async def build(self, wanted: Index) -> Current:
        """Have every ingest write into `wanted` beside the current index. Safe to repeat.

        `wanted` may be the current index: then nothing is built beside it.
        """
        raise NotImplementedError

    async def switch(self) -> Index | None:
        """Search the index that was built, from now on.

        Returns the one that was searched before, for the caller to remove; `None` when none is
        being built.
        """
        raise NotImplementedError
