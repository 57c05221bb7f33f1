"""Which index is searched, and which one is built beside it: the object `current.json`.

A search embeds its query with the model that is named there, so a changed setting changes nothing
until `make ingest REINDEX=1`, which builds an index beside the old one and then switches.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any, Final, TypeVar

from ..aws.bucket import Bucket
from ..aws.shared_object import MAX_CHANGES, ChangedError, SharedObject
from ..settings import Settings
from .embedder import EmbeddingModel
from .embeddings import chosen_model

INDEXES: Final = "knowledge-index/"
"""The prefix of all that the indexes keep in the bucket."""
CURRENT: Final = f"{INDEXES}current.json"
CACHED_SECONDS: Final = 60

FORMAT: Final = 1
"""What is put into an index, and how its passages are cut. Another number makes another index, so
raise it with a change of reading, splitting or ids that asks for a new index."""


T = TypeVar("T", bound="Current | None")


@dataclass(frozen=True)
class Index:
    """One index, and how it was made. `index` is its name: `k-` and 12 hex digits.

    `made` is when it was begun (Unix time). An index of that name may have been there before, and
    removed: what rows say of that counts no more.
    """

    index: str
    provider: Any
    model: str
    dimension: int
    passage_tokens: int
    made: float = field(default=0.0, compare=False)

    @classmethod
    def of(cls, settings: Settings) -> "Index":
        """The index that the settings ask for. The same settings name the same index.

        Raises `ValueError` like `chosen_model`.
        """
        chosen = chosen_model(settings)
        made = [
            chosen.provider, chosen.model, chosen.dimension, settings.passage_tokens, FORMAT,
        ]  # fmt: skip
        return cls(
            f"k-{sha256(json.dumps(made).encode()).hexdigest()[:12]}",
            chosen.provider,
            chosen.model,
            chosen.dimension,
            settings.passage_tokens,
        )

    @property
    def embedding(self) -> EmbeddingModel:
        return EmbeddingModel(self.provider, self.model, self.dimension)

    @property
    def prefix(self) -> str:
        """The prefix of what this index keeps in the bucket."""
        return f"{INDEXES}{self.index}/"


@dataclass(frozen=True)
class Current:
    """The index that is searched, and the one that is being built."""

    index: Index
    building: Index | None = None

    @property
    def all(self) -> tuple[Index, ...]:
        """Every index that an ingest writes into."""
        return (self.index, self.building) if self.building else (self.index,)


class CurrentIndex:
    """Reads and changes `current.json`."""

    def __init__(self, bucket: Bucket) -> None:
        self._object = SharedObject(bucket, CURRENT)
        self._cached: Current | None = None
        self._read_at = 0.0

    async def read(self, *, fresh: bool = False) -> Current | None:
        """The current index; `None` when nothing was ever ingested. One request, none within
        `CACHED_SECONDS` of the last unless `fresh`.
        """
        now = time.time()  # a monotonic clock may stand still while Lambda freezes the process
        if fresh or self._cached is None or not 0 <= now - self._read_at < CACHED_SECONDS:
            self._cached, _ = await self._read()
            self._read_at = now
        return self._cached

    async def begin(self, wanted: Index) -> Current:
        """Make `wanted` the current index when there is none yet. Returns the current one."""
        made = replace(wanted, made=time.time())
        return await self._change(lambda current: current or Current(made))

    async def build(self, wanted: Index) -> Current:
        """Have every ingest write into `wanted` beside the current index. Safe to repeat.

        When `wanted` is the current index, nothing is built beside it from now on.
        """
        made = replace(wanted, made=time.time())

        def change(current: Current | None) -> Current:
            if current is None:
                return Current(made)
            if wanted in {current.index, current.building}:
                return current if current.index != wanted else Current(current.index)
            return replace(current, building=made)

        return await self._change(change)

    async def switch(self) -> Index | None:
        """Search the index that was built, from now on.

        Returns the one that was searched before, for the caller to remove when searches have
        noticed, which takes `CACHED_SECONDS`; `None` when none is being built.
        """
        before: list[Index] = []

        def change(current: Current | None) -> Current | None:
            before.clear()
            if current is None or current.building is None:
                return current
            before.append(current.index)
            return Current(current.building)

        await self._change(change)
        return before[0] if before else None

    async def _read(self) -> tuple[Current | None, str]:
        found = await self._object.read()
        if found is None:
            return None, ""
        stored = json.loads(found[0])
        building = stored.pop("building")
        return Current(Index(**stored), Index(**building) if building else None), found[1]

    async def _change(self, change: Callable[[Current | None], T]) -> T:
        for _ in range(MAX_CHANGES):
            before, etag = await self._read()
            after = change(before)
            if after is not None and after != before:
                building = asdict(after.building) if after.building else None
                body = json.dumps({**asdict(after.index), "building": building}).encode()
                try:
                    await self._object.replace(body, etag, "application/json")
                except ChangedError:
                    continue
            self._cached, self._read_at = after, time.time()
            return after
        raise ChangedError(CURRENT)
