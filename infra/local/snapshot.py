"""Keeps the table, the bucket and the vectors of `make dev` in one SQLite file.

moto holds them in memory. A thread writes what changed every `PAUSE` seconds and once more at the
end, each time in one transaction. So a process that is killed loses the changes of the last two
seconds at most, and the file is never half written.
"""

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from functions.aws.clients import client
from functions.store.schema import TTL_ATTRIBUTE
from infra.local.folder import shown
from infra.local.kept_vectors import SCHEMA as VECTOR_SCHEMA
from infra.local.kept_vectors import KeptVectors, Seen, VectorChanges
from infra.local.moto_server import MotoServer, Row

PAUSE = 1.0
FORMAT = 1
"""Rises when the file's tables change; a file of another format is put aside."""

BATCH = 25
"""The most rows that one `BatchWriteItem` takes."""

SCHEMA = f"""
BEGIN;
CREATE TABLE rows (pk TEXT, sk TEXT, row TEXT NOT NULL, PRIMARY KEY (pk, sk)) WITHOUT ROWID;
CREATE TABLE files (key TEXT PRIMARY KEY, type TEXT NOT NULL, body BLOB NOT NULL);
PRAGMA user_version = {FORMAT};
COMMIT;
"""


ADDED = f"""
CREATE TABLE IF NOT EXISTS file_metadata (key TEXT PRIMARY KEY, metadata TEXT NOT NULL);
{VECTOR_SCHEMA}"""
"""Tables that a file of an earlier version lacks: what users say of files, and vectors."""


@contextlib.contextmanager
def kept(
    path: Path, moto: MotoServer, table: str, bucket: str, vector_bucket: str | None = None
) -> Iterator[None]:
    """Put what the file holds into the empty table and buckets, and keep them until the end.

    Without a `vector_bucket`, the file's vectors stay as they are.

    A damaged file is renamed, and a line says so. Raises `sqlite3.DatabaseError` when the system
    does not let it be read, and botocore's errors when moto does not answer: it stays as it is.
    """
    vectors = KeptVectors(moto.region, vector_bucket) if vector_bucket else None
    snapshot = Snapshot(path, moto, table, bucket, vectors)
    try:
        snapshot.restore()
    except (sqlite3.DatabaseError, ValueError, ClientError, ParamValidationError) as error:
        if isinstance(error, sqlite3.DatabaseError) and _is_of_the_system(error):
            raise
        # botocore's message may quote a row.
        quotes = isinstance(error, ClientError | ParamValidationError)
        why = type(error).__name__ if quotes else str(error)
        aside = path.with_name(f"{path.stem}.broken-{time.strftime('%Y%m%d-%H%M%S')}{path.suffix}")
        path.replace(aside)
        path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
        print(f"make dev: {shown(path)} cannot be read ({why}).")
        print(f"make dev: It is now {aside.name}, and this run begins without conversations.")
        snapshot = Snapshot(path, moto, table, bucket, vectors)
        moto.bucket_changed()  # saves what was filled in before the error, too
    ended = threading.Event()
    thread = threading.Thread(target=snapshot.save_until, args=(ended,), name="snapshot")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Snapshot:
    """One file, and the table, the bucket and the vectors that it keeps."""

    def __init__(
        self, path: Path, moto: MotoServer, table: str, bucket: str, vectors: KeptVectors | None
    ) -> None:
        self._moto = moto
        self._table = table
        self._bucket = bucket
        path.touch(mode=0o600)
        self._path = path
        self._changes_seen = 0
        self._file_versions: dict[str, str] = {}
        self._vectors = vectors
        self._vectors_seen = Seen()

    def restore(self) -> None:
        """Fill the table and the buckets. Rows whose time has passed are left out, as in AWS.

        Raises `sqlite3.DatabaseError`, `ValueError`, `ClientError` or `ParamValidationError` when
        the file is damaged, or when its format or its rows are those of another version.
        """
        with self._open() as file:
            rows = [_row(text) for (text,) in file.execute("SELECT row FROM rows")]
            files = file.execute("SELECT key, type, body FROM files").fetchall()
            metadata = {
                key: json.loads(text)
                for key, text in file.execute("SELECT key, metadata FROM file_metadata")
            }
            if self._vectors:
                self._vectors_seen = self._vectors.restore(file)
        now = time.time()
        live = [row for row in rows if float(row.get(TTL_ATTRIBUTE, {}).get("N", now)) >= now]
        dynamodb, s3 = client("dynamodb"), client("s3")
        for start in range(0, len(live), BATCH):
            requests = [{"PutRequest": {"Item": row}} for row in live[start : start + BATCH]]
            dynamodb.batch_write_item(RequestItems={self._table: requests})
        for key, kind, body in files:
            s3.put_object(
                Bucket=self._bucket,
                Key=key,
                ContentType=kind,
                Body=body,
                Metadata=metadata.get(key, {}),
            )
        with self._open() as file:
            if len(live) < len(rows):
                file.execute("DELETE FROM rows")
                file.executemany("INSERT INTO rows VALUES (?, ?, ?)", map(_columns, live))
        self._file_versions = self._versions()
        self._moto.forget_changes(self._table)

    def save_until(self, ended: threading.Event) -> None:
        """Save every `PAUSE` seconds, and once more when `ended` is set."""
        complained = False
        while True:
            last = ended.wait(PAUSE)
            try:
                self.save()
                complained = False
            except (sqlite3.Error, OSError, ClientError, BotoCoreError) as error:
                if not complained:
                    # The disk is full, for example. The changes are saved when it has room again.
                    print(f"make dev: conversations are not saved to {shown(self._path)}: {error}")
                complained = True
            if last:
                return

    def save(self) -> None:
        """Write what changed since the last time, in one transaction."""
        files_changed = self._moto.take_bucket_changed()
        try:
            # While the table is held, no file can lose the row that names it: files are written
            # before their row and deleted after it.
            # Likewise for vectors: a file that names them is written before, and the row says
            # that they are deleted after it. So they are read before the files.
            with self._moto.table_held():
                vectors = self._vectors.changes(self._vectors_seen) if self._vectors else None
                seen, rows = self._moto.changed_rows(self._table, self._changes_seen)
                versions = self._versions() if files_changed else self._file_versions
            if rows or files_changed or vectors:
                with self._open() as file:
                    self._save_rows(file, rows)
                    self._save_files(file, versions)
                    self._save_vectors(file, vectors)
        except BaseException:
            if files_changed:
                self._moto.bucket_changed()  # so that the next save looks again
            raise
        self._changes_seen = seen
        self._file_versions = versions
        if vectors is not None:
            self._vectors_seen = vectors.seen

    def _save_rows(self, file: sqlite3.Connection, rows: dict[tuple[str, str], Row | None]) -> None:
        file.executemany("DELETE FROM rows WHERE pk = ? AND sk = ?", rows)
        file.executemany(
            "INSERT INTO rows VALUES (?, ?, ?)", [_columns(row) for row in rows.values() if row]
        )

    def _save_files(self, file: sqlite3.Connection, versions: dict[str, str]) -> None:
        s3 = client("s3")
        for key in self._file_versions.keys() - versions.keys():
            file.execute("DELETE FROM files WHERE key = ?", (key,))
            file.execute("DELETE FROM file_metadata WHERE key = ?", (key,))
        for key, version in versions.items():
            if self._file_versions.get(key) == version:
                continue
            try:
                found = s3.get_object(Bucket=self._bucket, Key=key)
            except s3.exceptions.NoSuchKey:
                continue  # deleted a moment ago; the next save removes it
            file.execute(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?)",
                (key, found["ContentType"], found["Body"].read()),
            )
            file.execute(
                "INSERT OR REPLACE INTO file_metadata VALUES (?, ?)",
                (key, json.dumps(found["Metadata"])),
            )

    def _save_vectors(self, file: sqlite3.Connection, changes: VectorChanges | None) -> None:
        if self._vectors and changes:
            self._vectors.save(file, changes)

    def _versions(self) -> dict[str, str]:
        """Each file's key, and a text that changes whenever the file is written."""
        pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=self._bucket)
        return {
            entry["Key"]: f"{entry['ETag']} {entry['LastModified'].isoformat()}"
            for page in pages
            for entry in page.get("Contents", [])
        }

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """The file, within one transaction. Raises `ValueError` for another format."""
        with contextlib.closing(sqlite3.connect(self._path)) as file:
            (form,) = file.execute("PRAGMA user_version").fetchone()
            if form == 0:
                file.executescript(SCHEMA)
            elif form != FORMAT:
                raise ValueError(f"its format is {form}, this version reads {FORMAT}")
            file.executescript(ADDED)
            with file:
                yield file


def _is_of_the_system(error: sqlite3.DatabaseError) -> bool:
    """Whether the file may be fine: it is locked, for example, or the disk is full."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    }


def _row(text: str) -> Row:
    row: Row = json.loads(text)
    if not {"pk", "sk"} <= row.keys():
        raise ValueError("its rows are those of another table")
    return row


def _columns(row: Row) -> tuple[str, str, str]:
    return row["pk"]["S"], row["sk"]["S"], json.dumps(row, ensure_ascii=False)
