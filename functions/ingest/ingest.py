"""Brings one document to where the object is now: read, split, embedded and in the indexes.

An event only names a key, so duplicates and reordering do not matter.
"""

from collections.abc import Callable
from typing import Final

from ..aws.bucket import Bucket
from ..settings import Settings
from ..store.table import Table

MAX_BYTES: Final = 50 * 1024 * 1024
"""A larger object is not read."""


class AgainError(Exception):
    """The document is not finished, and its event has to come again. Nothing is lost by it."""


class Ingest:
    """Ingests documents. `table` and `bucket` are reached by the function's own role."""

    def __init__(self, settings: Settings, table: Table, bucket: Bucket) -> None:
        self._settings = settings
        self._table = table
        self._bucket = bucket

    async def document(
        self, key: str, *, holder: str, left: Callable[[], float], force: bool = False
    ) -> None:
        """Ingest the object, or remove what is known of it when it is gone.

        `holder` names the event: another one that comes meanwhile makes this one go round again.
        `left` says how many seconds are left. Raises `AgainError` when they do not suffice, and
        what AWS and the embedding model raise; then what was done is kept for the next attempt.
        """
        raise NotImplementedError
