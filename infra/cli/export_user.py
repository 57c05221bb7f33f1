"""`make export-user`: everything of one person as a folder that anybody can read.

| file | what it holds |
| --- | --- |
| `index.html` | for people: the conversations, which are pages of their own, and all files |
| `person.json` | for programs: what belongs to no conversation, and a list of the conversations |
| `conversations/0001.json`, `.html` | one conversation: items, feedback, records, runs |
| `files/0001-cat.png` | sent files, generated images, recordings |

Links in the JSON lead to the files of the folder: a signed link would expire within the hour.
"""

import asyncio
import contextlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from functions.attachments.schema import file_key, upload_key
from functions.aws.keys import named, part
from functions.store.people import prefixes
from infra.cli.account import Account
from infra.cli.deployment import Deployment
from infra.cli.people import checked, surveyed
from infra.cli.person_pages import conversation_page, index_page
from infra.cli.progress import Progress
from infra.cli.terminal import say
from infra.cli.typed import CommandError, Typed
from infra.stack.settings import StackSettings

PERSON: Final = "person.json"
FORMAT: Final = 1
"""Of `person.json`. A later version of the project may write another one."""

LINKS: Final = ("url", "preview_url")
"""Fields of an export that may hold a signed link."""

MAX_NAME: Final = 60
"""Characters of a file's name that are kept: a name has 255 bytes at most."""
_UNSAFE: Final = re.compile(r"[^\w.-]+")
_ENDINGS: Final = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
    "audio/webm": ".webm",
    "audio/wav": ".wav",
    "audio/mp4": ".m4a",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
}

Entry = dict[str, Any]


def command(typed: Typed, settings: StackSettings | None, account: Account | None) -> None:
    user = checked(typed.option("--user"), "make export-user USER=anon_… OUT=folder")
    out = typed.option("--out")
    if not out:
        raise CommandError("Name a folder: OUT=folder")
    export(Deployment.of(settings, account, "make export-user STAGE=prod …"), user, Path(out))


def export(deployment: Deployment, user: str, folder: Path) -> None:
    """Write everything of the person into `folder`, in place of an older export of theirs.

    The folder is complete or as it was before. Raises `CommandError` when nothing is stored, and
    when the folder has anything else in it.
    """
    _check(folder, user)
    found = surveyed(deployment, user)
    if found.is_empty:
        raise CommandError(f"Nothing of {user} is stored in {deployment.name}.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _beside(folder) as new:
        made = _Export(deployment, user, new, found.conversations, list(found.files))
        asyncio.run(made.write())
        _replace(folder, new)
    say(
        f"{folder}: {made.conversations:,} conversations, {made.items:,} messages and other items, "
        f"{made.files:,} files. Open {folder / 'index.html'}."
    )


def _check(folder: Path, user: str) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        written = json.loads((folder / PERSON).read_text())
        if written["export"] >= 1 and written["user"] == user:
            return
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise CommandError(f"{folder} is there and is no export of this person: name another OUT.")


@contextlib.contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A new folder beside it, which only this account can read."""
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as parent:
        new = Path(parent) / "new"
        new.mkdir(mode=0o700)
        yield new


def _replace(folder: Path, new: Path) -> None:
    """Put `new` where `folder` is. The old one goes with the folder that `new` is in."""
    old = new.with_name("old")
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise


class _Export:
    """Writes one export into an empty folder."""

    def __init__(
        self,
        deployment: Deployment,
        user: str,
        folder: Path,
        conversations: int,
        objects: list[str],
    ) -> None:
        self.conversations = self.items = 0
        self._deployment, self._user, self._folder = deployment, user, folder
        self._bucket = deployment.bucket
        self._progress = Progress("Conversations", conversations)
        self._own = tuple(prefixes(named(user)))
        self._objects = objects
        """The keys of all files, also of those that nothing names."""
        self._saved: dict[str, str] = {}
        """The file of each object, by its key."""
        self._listed: list[Entry] = []
        self._person: dict[str, list[Entry]] = {
            kind: [] for kind in ("attachment", "record", "counters", "recording")
        }

    @property
    def files(self) -> int:
        return len(set(self._saved.values()))

    async def write(self) -> None:
        for name in ("conversations", "files"):
            (self._folder / name).mkdir()
        thread: list[Entry] = []
        async for entry in self._deployment.store.export_user(self._user):
            if entry["type"] == "thread":
                self._write_conversation(thread)
                thread = [entry]
            elif entry["type"] in self._person:
                if "thread_id" in entry:
                    thread.append(entry)
                else:
                    self._write_conversation(thread)
                    thread = []
                    self._person[entry["type"]].append(self._with_files(entry))
            else:
                thread.append(entry)
        self._write_conversation(thread)
        self._progress.end()
        progress = Progress("Files", len(self._objects))
        for done, key in enumerate(self._objects, 1):
            self._save(key, None)
            progress.show(done)
        progress.end()
        self._write_person()

    def _write_conversation(self, entries: list[Entry]) -> None:
        if not entries:
            return
        self.conversations += 1
        name = f"conversations/{self.conversations:04}"
        local = [self._with_files(entry) for entry in entries]

        def of(kind: str) -> list[Entry]:
            return [_without_type(entry) for entry in local if entry["type"] == kind]

        document = {
            "thread": local[0]["thread"],
            "items": [entry["item"] for entry in of("item")],
            "feedback": of("feedback"),
            "records": of("record"),
            "runs": [entry["run"] for entry in of("run")],
        }
        self.items += len(document["items"])
        self._json(f"{name}.json", document)
        self._text(f"{name}.html", conversation_page(document))
        thread = document["thread"]
        self._listed.append(
            {
                "id": thread["id"],
                "title": thread.get("title"),
                "created_at": thread.get("created_at"),
                "items": len(document["items"]),
                "file": f"{name}.json",
                "page": f"{name}.html",
            }
        )
        self._progress.show(self.conversations)

    def _write_person(self) -> None:
        person = {
            "export": FORMAT,
            "user": self._user,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "of": self._deployment.name,
            "conversations": self._listed,
            "attachments": [_without_type(each) for each in self._person["attachment"]],
            "records": [_without_type(each) for each in self._person["record"]],
            "counters": [each["numbers"] for each in self._person["counters"]],
            "recordings": [each["url"] for each in self._person["recording"]],
            "files": sorted(set(self._saved.values())),
        }
        self._json(PERSON, person)
        self._text("index.html", index_page(person))

    def _with_files(self, entry: Entry) -> Entry:
        """The entry with each signed link replaced by the file in this folder, and with the `file`
        of each attachment of a message.
        """
        for attachment in (entry.get("item") or {}).get("attachments") or []:
            attachment["file"] = self._file_of(attachment)
        found: Entry = self._localised(entry, (entry.get("attachment") or {}).get("name"))
        return found

    def _localised(self, value: Any, name: str | None) -> Any:
        if isinstance(value, list):
            return [self._localised(each, name) for each in value]
        if not isinstance(value, dict):
            return value
        name = value.get("name") or name
        return {
            field: self._local(each, name) if field in LINKS else self._localised(each, name)
            for field, each in value.items()
        }

    def _local(self, link: Any, name: str | None) -> Any:
        # Whoever wrote a link may have written that of another person's file.
        key = self._bucket.key_of(link) if isinstance(link, str) else None
        return self._save(key, name) if key and key.startswith(self._own) else link

    def _file_of(self, attachment: Entry) -> str | None:
        user, name = named(self._user), part(attachment["id"])
        sent, uploaded = file_key(user, name), upload_key(user, name)
        if sent not in self._objects:
            there = uploaded in self._objects
            return self._save(uploaded, attachment.get("name")) if there else None
        saved = self._save(sent, attachment.get("name"))
        if saved:
            self._saved[uploaded] = saved  # what was sent is a copy of it
        return saved

    def _save(self, key: str, name: str | None) -> str | None:
        """Download an object, once. The file's path in the folder; `None` when it is gone."""
        if key not in self._saved:
            client = self._deployment.client("s3")
            try:
                answer = client.get_object(Bucket=self._deployment.bucket_name, Key=key)
            except client.exceptions.NoSuchKey:
                return None
            path = f"files/{self.files + 1:04}{_name_of(name, answer.get('ContentType'))}"
            with (self._folder / path).open("wb") as file:
                shutil.copyfileobj(answer["Body"], file)
            self._saved[key] = path
        return self._saved[key]

    def _json(self, path: str, content: Any) -> None:
        self._text(path, json.dumps(content, ensure_ascii=False, indent=2) + "\n")

    def _text(self, path: str, text: str) -> None:
        (self._folder / path).write_text(text, encoding="utf-8")


def _without_type(entry: Entry) -> Entry:
    return {name: value for name, value in entry.items() if name not in ("type", "thread_id")}


def _name_of(name: str | None, kind: str | None) -> str:
    """The end of a file's name: what the person called it, or what fits its type."""
    safe = _UNSAFE.sub("_", name or "").strip("._")
    if safe:
        return f"-{safe[-MAX_NAME:]}"
    return _ENDINGS.get((kind or "").partition(";")[0], "")
