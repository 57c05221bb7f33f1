"""`make ingest`: uploads a folder of documents, and waits until all of them are searchable.

Only files that changed are uploaded, by the hash of their content. Documents of this folder whose
files are gone are removed, and nothing else is. With `REINDEX=1` all documents are read anew, into
the index that the settings ask for.
"""

import asyncio
import mimetypes
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from functions.aws.bucket import Bucket
from functions.ingest.reading import MAX_BYTES
from functions.knowledge.documents import DocumentRow, names, object_key, version_of
from functions.settings import ROOT
from infra.cli.account import Account
from infra.cli.deployment import Deployment
from infra.cli.knowledge import EXAMPLE, Library, advice, library_of
from infra.cli.progress import Progress
from infra.cli.settled import Wait, Wanted, reindex, send, settled, tenants_of
from infra.cli.terminal import confirm, say
from infra.cli.typed import CommandError, Typed
from infra.stack.settings import StackSettings

AT_ONCE: Final = 4
"""Files that are read and uploaded at one time. Each is in memory meanwhile."""

MAX_KEY: Final = 1024
"""Bytes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""

NAMED: Final = 3
"""Files that are named of those that are left out for one reason."""

_NOT_TEXT: Final = ("image/", "audio/", "video/", "font/")


def command(typed: Typed, settings: StackSettings | None, account: Account | None) -> None:
    """Ends this process with 1 when some documents are not searchable at the end."""
    named, again = typed.option("--dir"), typed.has("--reindex")
    if not named and not again:
        raise CommandError("Name a folder: make ingest DIR=docs")
    tenant, roles, tags = typed.option("--tenant"), typed.option("--roles"), typed.option("--tags")
    folder = folder_of(named, tenant, roles, tags) if named else None
    library = library_of(Deployment.of(settings, account, EXAMPLE))
    if not ingest(library, folder, again=again, sure=typed.sure):
        sys.exit(1)


@dataclass(frozen=True)
class Folder:
    """A folder, for whom its documents are, and what they are about."""

    path: Path
    tenant: str | None
    roles: tuple[str, ...]
    tags: tuple[str, ...]

    @property
    def name(self) -> str:
        """Relative to the repository, or the last name of a folder elsewhere."""
        here = self.path.is_relative_to(ROOT)
        return self.path.relative_to(ROOT).as_posix() if here else self.path.name

    @property
    def prefix(self) -> str:
        """What the keys of its documents begin with."""
        return object_key(self.tenant, f"{self.name}/")


def folder_of(typed: str, tenant: str | None, roles: str | None, tags: str | None) -> Folder:
    """The folder that somebody typed. Raises `CommandError` for what is none."""
    path = Path(typed).expanduser()
    if not path.exists():
        raise CommandError(f"DIR={typed}: there is no such folder.")
    if not path.is_dir():
        raise CommandError(f"DIR={typed} is a file. Name the folder that it is in.")
    said = {"roles": roles or "", "tags": tags or ""}
    for name, value in said.items():
        if not (value.isascii() and value.isprintable()):
            raise CommandError(
                f"{name.upper()}={value}: S3 keeps them beside the file, and takes ASCII only."
            )
    folder = Folder(path.resolve(), tenant, names(said, "roles"), names(said, "tags"))
    if folder.name in {"", "."}:
        raise CommandError(f"DIR={typed} is too much. Name a folder in it, such as DIR=docs.")
    if folder.name.startswith("@"):
        raise CommandError(f"DIR={typed}: a name that begins with @ stands for a tenant.")
    return folder


@dataclass(frozen=True)
class File:
    """A file of the folder, and the key of its document."""

    path: Path
    key: str


@dataclass
class Plan:
    """What has to happen to the documents of a folder."""

    changed: list[File] = field(default_factory=list)
    unread: dict[str, DocumentRow | None] = field(default_factory=dict)
    """Unchanged documents that are not searchable, by their keys, with their rows."""
    wanted: dict[str, Wanted] = field(default_factory=dict)
    remove: list[str] = field(default_factory=list)
    unchanged: int = 0


def ingest(
    library: Library, folder: Folder | None, *, again: bool, sure: bool, wait: Wait = time.sleep
) -> bool:
    """Bring the documents to where the folder is, and read all of them `again` if that is wanted.

    Whether everything that was to be read is searchable now. Raises `CommandError`, and what
    botocore raises.
    """
    rows: dict[str, DocumentRow] = {}
    if folder:
        rows = _bring_in(library, folder, sure=sure, wait=wait)
    if again:
        rows = reindex(library, wait=wait)
        say(f"{len(rows)} documents are in the index; {_passages(rows)}.")
    elif (current := library.read_current()) and current.index != library.wanted:
        say(advice(library))
    failed = {key: row for key, row in rows.items() if row.state == "failed"}
    for key, row in sorted(failed.items()):
        say(f"  failed  {key}: {row.error}")
    return not failed


def _bring_in(
    library: Library, folder: Folder, *, sure: bool, wait: Wait
) -> dict[str, DocumentRow]:
    files, left_out = _files(folder)
    for why, found in _by_reason(left_out).items():
        say(f"  left out  {found}: {why}")
    stored = library.objects(folder.prefix)
    if not files and not stored:
        raise CommandError(f"{folder.path} has no documents.")
    plan = _planned(library, folder, files, stored)
    if stored and len(plan.remove) == len(stored) and not sure:
        _confirm(folder, len(stored))
    began = time.monotonic()
    _upload(library, folder, plan)
    asyncio.run(Bucket(library.bucket, library.client("s3")).delete(*plan.remove))
    send(library, {key: _has_failed(row) for key, row in plan.unread.items()})
    rows = settled(library, plan.wanted, plan.remove, wait=wait)
    failed = sum(row.state == "failed" for row in rows.values())
    say(
        f"{len(plan.changed)} uploaded, {plan.unchanged} unchanged, {len(plan.remove)} removed, "
        f"{failed} failed; {_passages(rows)} in {time.monotonic() - began:.0f} s."
    )
    return rows


def _files(folder: Folder) -> tuple[list[File], dict[str, str]]:
    """The documents of a folder, and why other files are none. Hidden ones are not looked at."""
    files: list[File] = []
    left_out: dict[str, str] = {}
    for path in sorted(folder.path.rglob("*")):
        name = path.relative_to(folder.path).as_posix()
        if any(each.startswith(".") for each in name.split("/")) or not path.is_file():
            continue
        if why := _why_not(path, key := f"{folder.prefix}{name}"):
            left_out[name] = why
        else:
            files.append(File(path, key))
    return files, left_out


def _by_reason(left_out: dict[str, str]) -> dict[str, str]:
    """The files that are left out for one reason, with the names of some."""
    names_of: dict[str, list[str]] = {}
    for name, why in left_out.items():
        names_of.setdefault(why, []).append(name)
    return {
        why: ", ".join(found[:NAMED]) + (f" and {len(found) - NAMED} more" if found[NAMED:] else "")
        for why, found in names_of.items()
    }


def _why_not(path: Path, key: str) -> str | None:
    """Why a file is no document; None for one that may be."""
    kind = mimetypes.guess_type(path.name)[0] or ""
    try:
        length = len(key.encode())
    except UnicodeEncodeError:
        return "its name is not UTF-8."
    if length > MAX_KEY:
        return f"its path is longer than {MAX_KEY} bytes."
    if kind.startswith(_NOT_TEXT):
        return f"{kind} is not text."
    if path.stat().st_size > MAX_BYTES:
        return f"it has more than {MAX_BYTES // 1_000_000} MB."
    return None


def _planned(
    library: Library, folder: Folder, files: list[File], stored: dict[str, dict[str, Any]]
) -> Plan:
    """Compare the files with what is stored. One request for each file that may be the same."""
    rows = library.states(tenants_of([folder.prefix + "x"]))
    current = library.read_current()
    index = current.index.index if current else ""
    plan = Plan(remove=sorted(stored.keys() - {file.key for file in files}))
    likely = [
        file for file in files if file.key in stored and _size(file) == stored[file.key]["Size"]
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(lambda file: _same(library, folder, file), likely)
        same = {file.key for file, yes in zip(likely, answers, strict=True) if yes}
    for file in files:
        if file.key not in same:
            plan.changed.append(file)
            continue
        plan.unchanged += 1
        row = rows.get(file.key)
        version = version_of(stored[file.key]["ETag"], folder.roles, folder.tags)
        plan.wanted[file.key] = Wanted(version)
        if row and (
            row.held or (row.state == "ready" and plan.wanted[file.key].met_by(row, index))
        ):
            continue
        plan.unread[file.key] = row
        plan.wanted[file.key] = Wanted(version, row.updated_at if row else 0.0)
    return plan


def _has_failed(row: DocumentRow | None) -> bool:
    return row is not None and row.state == "failed"


def _size(file: File) -> int:
    return file.path.stat().st_size


def _same(library: Library, folder: Folder, file: File) -> bool:
    """Whether the stored document has this content, these roles and these tags."""
    head = library.client("s3").head_object(Bucket=library.bucket, Key=file.key)
    said = head["Metadata"]
    return (
        said.get("sha256") == sha256(file.path.read_bytes()).hexdigest()
        and names(said, "roles") == folder.roles
        and names(said, "tags") == folder.tags
    )


def _upload(library: Library, folder: Folder, plan: Plan) -> None:
    s3 = library.client("s3")
    said = {"roles": " ".join(folder.roles), "tags": " ".join(folder.tags)}
    metadata = {name: value for name, value in said.items() if value}

    def put(file: File) -> tuple[str, str]:
        data = file.path.read_bytes()
        answer = s3.put_object(
            Bucket=library.bucket,
            Key=file.key,
            Body=data,
            ContentType=mimetypes.guess_type(file.path.name)[0] or "application/octet-stream",
            Metadata={**metadata, "sha256": sha256(data).hexdigest()},
        )
        return file.key, version_of(answer["ETag"], folder.roles, folder.tags)

    progress = Progress("Uploading", len(plan.changed))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number, (key, version) in enumerate(pool.map(put, plan.changed), 1):
            plan.wanted[key] = Wanted(version)
            progress.show(number)
    progress.end()


def _confirm(folder: Folder, number: int) -> None:
    """Ask whether to go on, when no document of the folder would be left as it is."""
    say(f"{folder.path} has none of the {number} documents that are stored as {folder.name}/.")
    confirm(f"Remove these {number}?", sure=False)


def _passages(rows: dict[str, DocumentRow]) -> str:
    return f"{sum(row.passages for row in rows.values()):,} passages"
