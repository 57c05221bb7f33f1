"""The part of `infra.local.snapshot` that keeps vectors: only those that changed are written."""

import json
import sqlite3
from array import array
from dataclasses import dataclass, field
from typing import Any, Final

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS vector_indexes (
    name TEXT PRIMARY KEY, dimension INTEGER NOT NULL, metric TEXT NOT NULL,
    not_filterable TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS vectors (
    index_name TEXT NOT NULL, key TEXT NOT NULL, data BLOB NOT NULL, metadata TEXT NOT NULL,
    PRIMARY KEY (index_name, key)
);
"""
"""Added to a file of an earlier version, which has the rest."""


@dataclass(frozen=True)
class VectorChanges:
    """What changed since the last time. Vectors are moto's; `None` where one was deleted."""

    new: dict[str, Any]
    """Indexes by their names: those that the file has with these names are others."""
    gone: frozenset[str]
    vectors: dict[tuple[str, str], Any]
    """By the names of their indexes and their keys."""
    seen: "Seen"

    def __bool__(self) -> bool:
        return bool(self.new or self.gone or self.vectors)


@dataclass(frozen=True)
class Seen:
    """The indexes that the file has, and how much of their journals."""

    indexes: dict[str, Any] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)


class KeptVectors:
    """The indexes of a vector bucket of moto's."""

    def __init__(self, region: str, bucket: str) -> None:
        self._region = region
        self._bucket = bucket

    def restore(self, file: sqlite3.Connection) -> Seen:
        """Fill the empty bucket. Raises `sqlite3.DatabaseError` or `ValueError`."""
        from moto.s3vectors.models import Vector  # noqa: PLC0415 - slow to import

        from infra.local.vectors import data_of, prepare  # noqa: PLC0415

        for name, dimension, metric, names in file.execute("SELECT * FROM vector_indexes"):
            self._backend.create_index(
                self._bucket, None, name, "float32", dimension, metric, tags=None
            )
            prepare(self._backend.get_index(self._bucket, name, None), json.loads(names))
        indexes = self._indexes()
        for name, key, blob, metadata in file.execute("SELECT * FROM vectors"):
            numbers = array("f", blob)
            if name not in indexes or len(numbers) != indexes[name].dimension:
                raise ValueError("its vectors are those of another index")
            data: Any = data_of(numbers)
            indexes[name].vectors[key] = Vector(key, data, json.loads(metadata))
        return Seen(indexes, dict.fromkeys(indexes, 0))

    def changes(self, seen: Seen) -> VectorChanges:
        indexes = self._indexes()
        new = {
            name: index for name, index in indexes.items() if seen.indexes.get(name) is not index
        }
        lengths = {name: len(index.journal) for name, index in indexes.items()}
        vectors: dict[tuple[str, str], Any] = {}
        for name, index in indexes.items():
            since = 0 if name in new else seen.lengths[name]
            keys = list(index.vectors) if name in new else []
            for key in [*keys, *index.journal[since : lengths[name]]]:
                vectors[name, key] = index.vectors.get(key)
        gone = frozenset(seen.indexes.keys() - indexes.keys())
        return VectorChanges(new, gone, vectors, Seen(indexes, lengths))

    def save(self, file: sqlite3.Connection, changes: VectorChanges) -> None:
        from infra.local.vectors import not_filterable  # noqa: PLC0415 - slow to import

        for name in [*changes.gone, *changes.new]:
            file.execute("DELETE FROM vector_indexes WHERE name = ?", (name,))
            file.execute("DELETE FROM vectors WHERE index_name = ?", (name,))
        file.executemany(
            "INSERT INTO vector_indexes VALUES (?, ?, ?, ?)",
            [
                (name, index.dimension, index.distance_metric, json.dumps(not_filterable(index)))
                for name, index in changes.new.items()
            ],
        )
        file.executemany(
            "DELETE FROM vectors WHERE index_name = ? AND key = ?",
            [place for place, vector in changes.vectors.items() if vector is None],
        )
        file.executemany(
            "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)",
            [
                (name, key, vector.data["float32"].tobytes(), json.dumps(vector.metadata))
                for (name, key), vector in changes.vectors.items()
                if vector is not None
            ],
        )

    def _indexes(self) -> dict[str, Any]:
        bucket = self._backend.get_vector_bucket(self._bucket)
        # A copy, because requests change it meanwhile, without an index that is not prepared yet.
        made = [index for index in list(bucket.indexes.values()) if hasattr(index, "journal")]
        return {index.index_name: index for index in made}

    @property
    def _backend(self) -> Any:
        from moto.core.models import DEFAULT_ACCOUNT_ID  # noqa: PLC0415
        from moto.s3vectors.models import s3vectors_backends  # noqa: PLC0415
        from moto.utilities.utils import get_partition  # noqa: PLC0415

        return s3vectors_backends[DEFAULT_ACCOUNT_ID][get_partition(self._region)]
