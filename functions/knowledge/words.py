"""Words: BM25 over the passages of one index, in one SQLite file in the bucket.

No server, and nothing that costs while nobody asks: the ingest function changes the file, and
whoever searches has a copy of it. The file has an FTS5 table without content, because the texts are
stored with the vectors. FTS5 forgets a row of such a table by its command 'delete', which needs the
text that was indexed: https://www.sqlite.org/fts5.html#contentless_tables

Python 3.13 in Lambda uses the SQLite of Amazon Linux 2023, which is 3.40 there. So this must not
use `contentless_delete`, which came with 3.43. Amazon Linux 2023 takes its packages from Fedora
(https://docs.aws.amazon.com/linux/al2023/ug/relationship-to-fedora.html), and Fedora builds SQLite
with `--enable-fts5` (https://src.fedoraproject.org/rpms/sqlite/blob/rawhide/f/sqlite.spec). That
Lambda's has it cannot be seen without an account, so `check_fts5` asks at the start.
"""

import asyncio
import json
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Final

from ..aws import call
from ..aws.bucket import Bucket
from ..aws.shared_object import MAX_CHANGES, ChangedError, SharedObject
from .current import INDEXES
from .passages import Document, Passage
from .terms import indexed, terms_of

TOP: Final = 30

MOST_ROWS: Final = 10_000
"""Passages that one search looks at, at most, counted again for each of its terms. FTS5 ranks all
that have one of the terms, some microseconds each, and a word of so many passages says nothing:
with 100,000 passages, "the" alone would take a second. What is left out is found by meaning."""

WAIT: Final = 1.0
"""Seconds to wait at most after a change that somebody else's was before."""

FORMAT: Final = 1
"""Raise it when `terms.indexed` or the tokenizer changes. FTS5 cannot forget what was indexed in
another way, so such rows are only cut off from their passages."""

_SCHEMA: Final = """
PRAGMA auto_vacuum = FULL;
CREATE TABLE documents (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    tenant TEXT, roles TEXT NOT NULL, tags TEXT NOT NULL
);
CREATE TABLE passages (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    document INTEGER NOT NULL, format INTEGER NOT NULL
);
CREATE INDEX passages_of_document ON passages (document);
CREATE VIRTUAL TABLE words USING fts5 (
    headings, text, content = '',
    tokenize = "porter unicode61 remove_diacritics 0 categories 'L* N* M* Co'"
);
"""  # AUTOINCREMENT: a number is never used again, so a row that FTS5 keeps belongs to no passage

_FORGET: Final = "INSERT INTO words (words, rowid, headings, text) VALUES ('delete', ?, ?, ?)"

_SEARCH: Final = """
SELECT passages.id FROM words JOIN passages ON passages.number = words.rowid
WHERE words MATCH :query AND passages.document IN (
    SELECT number FROM documents
    WHERE (tenant IS NULL OR tenant = :tenant)
    AND (roles = '[]' OR EXISTS (
        SELECT 1 FROM json_each(roles) WHERE value IN (SELECT value FROM json_each(:roles))
    ))
    AND (:tags = '[]' OR EXISTS (
        SELECT 1 FROM json_each(tags) WHERE value IN (SELECT value FROM json_each(:tags))
    ))
)
ORDER BY bm25(words, 2.0, 1.0), passages.number LIMIT :top
"""


def check_fts5() -> None:
    """Raise `RuntimeError` when this Python's SQLite has no FTS5."""
    with closing(sqlite3.connect(":memory:")) as database:
        try:
            database.executescript(_SCHEMA)
        except sqlite3.OperationalError as error:
            raise RuntimeError(
                f"SQLite {sqlite3.sqlite_version} has no FTS5, which the index of words is made of"
            ) from error


class Words:
    """The words of one index: a copy of the file in a folder of this process."""

    def __init__(self, bucket: Bucket, index: str) -> None:
        self._object = SharedObject(bucket, f"{INDEXES}{index}/words.sqlite3")
        self._etag = ""
        self._lock = asyncio.Lock()

    async def refresh(self) -> None:
        """Have the newest copy of the file. One request, which transfers only a newer one."""
        async with self._lock:
            self._etag = await self._object.download(self._copy, self._etag)

    async def search(
        self,
        query: str,
        top: int = TOP,
        *,
        tenant: str | None,
        roles: Collection[str] = (),
        tags: Collection[str] = (),
    ) -> list[str]:
        """The ids of the best passages of the copy, best first. No request.

        `tenant` is a key part. They are those of documents that such a person may see and, with
        `tags`, that have one of these.
        """
        terms = terms_of(query)
        if not terms or not self._etag:
            return []
        who = {
            "tenant": tenant,
            "roles": json.dumps(sorted(roles)),
            "tags": json.dumps(sorted(tags)),
            "top": top,
        }
        return await call(self._search, terms=terms, who=who)

    def _search(self, terms: list[str], who: dict[str, str | int | None]) -> list[str]:
        address = f"{self._copy.as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(address, uri=True)) as database:
            query = " OR ".join(_telling(database, terms))
            if not query:
                return []
            return [row[0] for row in database.execute(_SEARCH, {**who, "query": query})]

    async def put(self, document: Document, known: Iterable[Passage] = ()) -> None:
        """Have the file hold exactly these passages of the document; none removes it.

        `known` has every passage of the document that may be in the file, with its text. One
        request, or two more each time that others were first; none when nothing changes. Raises
        `ChangedError` when others are first each time.
        """
        texts = {passage.id: passage for passage in (*known, *document.passages)}
        async with self._lock:
            for attempt in range(MAX_CHANGES):
                if attempt or not self._etag:
                    self._etag = await self._object.download(self._copy, self._etag)
                if not await call(self._edit, document=document, texts=texts):
                    return
                try:
                    self._etag = await self._object.replace(
                        self._edited, self._etag, "application/vnd.sqlite3"
                    )
                except ChangedError:
                    if attempt == MAX_CHANGES - 1:
                        raise
                    # So that the same ones do not meet again.
                    await asyncio.sleep(random.uniform(0, WAIT))  # noqa: S311 - no secret
                else:
                    self._edited.replace(self._copy)
                    return

    def _edit(self, document: Document, texts: dict[str, Passage]) -> bool:
        """Change a second copy. Returns whether that differs from the first."""
        self._edited.unlink(missing_ok=True)
        if self._etag:
            shutil.copyfile(self._copy, self._edited)
        with _opened(self._edited, new=not self._etag) as database:
            before = database.total_changes
            _change(database, document, texts)
            return database.total_changes > before

    @cached_property
    def _folder(self) -> "tempfile.TemporaryDirectory[str]":
        return tempfile.TemporaryDirectory(prefix="chatkit-words-")

    @property
    def _copy(self) -> Path:
        return Path(self._folder.name, "words.sqlite3")

    @property
    def _edited(self) -> Path:
        return Path(self._folder.name, "edited.sqlite3")


def _telling(database: sqlite3.Connection, terms: list[str]) -> list[str]:
    """The terms that fewest passages have, as many as `MOST_ROWS` allow."""
    rows = 0
    telling = []
    for count, term in sorted((_count(database, term), term) for term in terms):
        rows += count
        if rows > MOST_ROWS:
            break
        if count:
            telling.append(term)
    return telling


def _count(database: sqlite3.Connection, term: str) -> int:
    """How many passages have a term; one more than `MOST_ROWS` stands for any number above."""
    found = database.execute(
        "SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)",
        (term, MOST_ROWS + 1),
    )
    count: int = found.fetchone()[0]
    return count


@contextmanager
def _opened(file: Path, *, new: bool) -> Iterator[sqlite3.Connection]:
    """A file that is thrown away when this fails, so it needs no journal."""
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        if new:
            database.executescript(_SCHEMA)
        database.execute("BEGIN")
        yield database
        database.execute("COMMIT")


def _change(database: sqlite3.Connection, document: Document, texts: dict[str, Passage]) -> None:
    _tidy(database, _apply(database, document, texts))


def _apply(database: sqlite3.Connection, document: Document, texts: dict[str, Passage]) -> int:
    """Have the file hold these passages of the document. Returns how many it has forgotten."""
    number = _document(database, document)
    wanted = {passage.id: passage for passage in document.passages}
    there = set()
    forgotten = 0
    for row, name, made in database.execute(
        "SELECT number, id, format FROM passages WHERE document = ?", (number,)
    ).fetchall():
        if name in wanted and made == FORMAT:
            there.add(name)
            continue
        if name in texts and made == FORMAT:
            database.execute(_FORGET, (row, *_texts(texts[name])))
        database.execute("DELETE FROM passages WHERE number = ?", (row,))
        forgotten += 1
    for name, passage in wanted.items():
        if name not in there:
            row = database.execute(
                "INSERT INTO passages (id, document, format) VALUES (?, ?, ?)",
                (name, number, FORMAT),
            ).lastrowid
            database.execute(
                "INSERT INTO words (rowid, headings, text) VALUES (?, ?, ?)",
                (row, *_texts(passage)),
            )
    if not wanted:
        database.execute("DELETE FROM documents WHERE number = ?", (number,))
    return forgotten


def _tidy(database: sqlite3.Connection, forgotten: int) -> None:
    """Have FTS5 drop what it has forgotten, once that is more than it has.

    Until then it only notes what it forgets, and a file whose documents change all the time would
    grow to a multiple: https://www.sqlite.org/fts5.html#the_optimize_command
    """
    if not forgotten:
        return
    forgotten += database.execute("PRAGMA user_version").fetchone()[0]
    if forgotten > database.execute("SELECT count(*) FROM passages").fetchone()[0]:
        database.execute("INSERT INTO words (words) VALUES ('optimize')")
        forgotten = 0
    database.execute(f"PRAGMA user_version = {forgotten}")


def _document(database: sqlite3.Connection, document: Document) -> int | None:
    """The number of a document, which is added or corrected. `None` for one without passages that
    is not there.
    """
    who = (document.tenant, json.dumps(document.roles), json.dumps(document.tags))
    row = database.execute(
        "SELECT number, tenant, roles, tags FROM documents WHERE id = ?", (document.id,)
    ).fetchone()
    if row is None:
        if not document.passages:
            return None
        return database.execute(
            "INSERT INTO documents (id, tenant, roles, tags) VALUES (?, ?, ?, ?)",
            (document.id, *who),
        ).lastrowid
    number: int = row[0]
    if row[1:] != who:
        database.execute(
            "UPDATE documents SET tenant = ?, roles = ?, tags = ? WHERE number = ?", (*who, number)
        )
    return number


def _texts(passage: Passage) -> tuple[str, str]:
    return indexed("\n".join(passage.headings)), indexed(passage.text)
