"""`make dev` keeps conversations, files and who is who, until `make reset`."""

import os
import shutil
import sqlite3
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from phrases import QUESTION

from tests.support.chat import Chat, thread_of
from tests.support.dev import ROOT, Dev, free_port

NOTE = b"a note"


def tell(chat):
    """Send a message with a file; returns the thread."""
    file = {"name": "note.txt", "size": len(NOTE), "mime_type": "text/plain"}
    announced = chat.read("attachments.create", **file)
    put = announced["upload_descriptor"]
    assert httpx2.put(put["url"], content=NOTE, headers=put["headers"]).status_code == 200
    return thread_of(chat.create(QUESTION, attachments=[announced["id"]]))


def conversation(chat, thread):
    return [(item["id"], item["content"][0]["text"]) for item in chat.items(thread)]


def moved(chat, dev):
    """The same browser, at the address of another run."""
    there = Chat(dev.url)
    there.http.cookies = chat.http.cookies
    return there


def file_of(chat, thread):
    (attachment,) = chat.items(thread)[0]["attachments"]
    return httpx2.get(chat.http.get(f"/chatkit/files/{attachment['id']}").json()["url"]).content


@dataclass
class Ended:
    """A `make dev` that a browser had a conversation with, after Ctrl-C."""

    folder: Path
    chat: Chat
    thread: str
    said: list[tuple[str, str]]
    variables: dict[str, str]
    """Those in the file for commands while it ran."""
    output: str


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("state") / "folder", free_port()
    with Dev(folder=folder, port=port) as dev:
        chat = Chat(dev.url)
        thread = tell(chat)
        said = conversation(chat, thread)
        variables = private(folder, port)
        output = dev.output()
    assert not (folder / f"{port}.env").exists()
    return Ended(folder, chat, thread, said, variables, output)


def test_after_ctrl_c_the_same_browser_finds_its_conversation_and_its_file(ended, tmp_path):
    folder = shutil.copytree(ended.folder, tmp_path / "copy")
    with Dev(folder=folder) as second:
        again = moved(ended.chat, second)
        assert conversation(again, ended.thread) == ended.said
        assert file_of(again, ended.thread) == NOTE
        assert again.say(ended.thread, QUESTION)[-1]["type"] == "thread.item.done"
        assert Chat(second.url).read("threads.list")["data"] == []


def test_a_kill_loses_nothing_that_was_saved_and_the_port_is_free_again(tmp_path):
    port = free_port()
    with Dev(folder=tmp_path, port=port) as first:
        chat = Chat(first.url)
        thread = tell(chat)
        before = conversation(chat, thread)
        first.wait_until(lambda: saved(tmp_path) >= len(before))
        os.kill(make_dev(first), 9)  # its child, which has the port, is not killed
        first.process.wait(timeout=30)
    with Dev(folder=tmp_path, port=port) as second:
        assert conversation(moved(chat, second), thread) == before


def saved(folder):
    with sqlite3.connect(folder / "state.sqlite3") as file:
        return file.execute("SELECT count(*) FROM rows WHERE sk LIKE 'ITEM#%'").fetchone()[0]


def make_dev(dev):
    """The process of `python -m infra.local`, in place of make or below it."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "-g", str(dev.process.pid)],
        capture_output=True,
        text=True,
        check=True,
    )
    running = [line for line in listed.stdout.splitlines() if line.endswith("-m infra.local")]
    return int(running[-1].split()[0])


def test_a_second_one_says_that_the_first_runs_and_keeps_its_own(tmp_path):
    with Dev(folder=tmp_path) as first:
        thread = tell(Chat(first.url))
        port = free_port()
        with Dev(folder=tmp_path, port=port) as second:
            assert "another make dev uses" in second.output()
            chat = Chat(second.url)
            own = tell(chat)
            assert [one["id"] for one in chat.read("threads.list")["data"]] == [own]
            assert own != thread
            said = conversation(chat, own)
        # A later one on this port finds it there, as the first one would in its folder.
        assert saved(tmp_path / f"port-{port}") >= len(said)
        done = reset(tmp_path)
        assert done.returncode != 0
        assert "End it first" in done.stderr


def reset(folder):
    return subprocess.run(
        ["make", "reset"],
        cwd=ROOT,
        env={**os.environ, "CHATKIT_LOCAL_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_only_this_account_can_read_what_is_kept_and_commands_find_the_address(ended):
    assert ended.variables["AWS_ENDPOINT_URL"] in ended.output


def test_make_reset_removes_what_was_kept_and_nothing_else(ended, tmp_path):
    folder = shutil.copytree(ended.folder, tmp_path / "copy")
    (folder / "notes").write_text("somebody's own")
    assert reset(folder).returncode == 0
    assert [path.name for path in folder.iterdir()] == ["notes"]
    (folder / "notes").unlink()
    assert reset(folder).returncode == 0
    assert not folder.exists()
    assert reset(folder).returncode == 0  # nothing to do is no error


def private(folder, port):
    """The folder's files, which only this account can read, as commands find them."""
    names = {path.name for path in folder.iterdir()}
    for path in (folder, *(folder / name for name in names - {"lock"})):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert names == {"lock", "cookie-key", "log", "state.sqlite3", f"{port}.env"}
    return dict(line.split("=", 1) for line in (folder / f"{port}.env").read_text().splitlines())
