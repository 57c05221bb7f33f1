"""The folder in which `make dev` keeps what has to last, `.local/` at the root.

| file | what it holds |
| --- | --- |
| `lock` | nothing; the running `make dev` has it locked |
| `cookie-key` | the key that signs the visitors' cookies |
| `state.sqlite3` | the table's rows and the bucket's files |
| `log` | the newest lines of the log, for `make logs` and `make run` |
| `8000.env` | how a command reaches AWS's API of the server on port 8000, while it runs |
| `port-8001/` | lock, key and state of a second `make dev`, on port 8001 |

`CHATKIT_LOCAL_DIR` names another folder. Only this account can read the folder and its files.
"""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from functions.settings import ROOT
from functions.web.identity.signing_key import MIN_BYTES

INDEX_VARIABLE = "CHATKIT_KNOWLEDGE_INDEX"
"""The variable in `8000.env` with the index that the settings ask for, as JSON."""


class FolderInUseError(Exception):
    """Another `make dev` has the folder locked."""


def local_folder() -> Path:
    return Path(os.environ.get("CHATKIT_LOCAL_DIR") or ROOT / ".local").absolute()


def folder_of_port(port: str) -> Path:
    """The folder of a second `make dev`."""
    return local_folder() / f"port-{port}"


def file_of_port(port: str) -> Path:
    """The file with the variables that lead to the table and the bucket of a `make dev`."""
    return local_folder() / f"{port}.env"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock. The system releases it when this process dies, however it dies.

    Raises `FolderInUseError` at once when another process holds it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUseError(folder) from None
        yield


def cookie_key(folder: Path) -> str:
    """The folder's signing key, made on first use. Without it, every visitor would be a new one."""
    path = folder / "cookie-key"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        key = path.read_text().strip()
        if len(key.encode()) >= MIN_BYTES:
            return key
    key = secrets.token_hex(MIN_BYTES)
    write_privately(path, key)
    return key


def write_privately(path: Path, text: str) -> None:
    """Write a file that only this account can read. Whoever reads it never sees half of it."""
    new = path.with_name(f"{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    new.touch(mode=0o600, exist_ok=False)
    new.write_text(text)
    new.replace(path)


def shown(path: Path) -> str:
    """A path as people type it: relative to the root where that is shorter."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


KEPT = ("lock", "cookie-key*", "state*.sqlite3*", "log", "log.1", "*.env")


def reset() -> None:
    """Remove what `make dev` keeps, and the folder when nothing else is in it.

    Raises `FolderInUseError` while a `make dev` uses it.
    """
    folder = local_folder()
    if not folder.exists():
        return
    folders = [*folder.glob("port-*"), folder]
    with contextlib.ExitStack() as stack:
        for each in folders:
            stack.enter_context(locked(each))
        for each in folders:
            for file in (found for pattern in KEPT for found in each.glob(pattern)):
                file.unlink()
            with contextlib.suppress(OSError):  # something else is in it
                each.rmdir()
