"""Words: BM25 over the passages of one index, in one SQLite file in the bucket.

No server: the ingest function changes the file, and whoever searches has a copy of it.
"""

from collections.abc import Collection
from typing import Final

from ..aws.bucket import Bucket

TOP: Final = 30


class Words:
    """The words of one index."""

    def __init__(self, bucket: Bucket, index: str) -> None:
        self._bucket = bucket
        self._index = index

    async def refresh(self) -> None:
        """Have the newest copy of the file. One request."""
        raise NotImplementedError

    async def search(
        self,
        query: str,
        top: int = TOP,
        *,
        tenant: str,
        roles: Collection[str] = (),
        tags: Collection[str] = (),
    ) -> list[str]:
        """The ids of the best passages of the copy, best first. `tenant` is a `tenant_part`."""
        raise NotImplementedError
