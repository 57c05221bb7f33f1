"""`make dev` as a developer uses it."""

import os
import shutil
import signal

import httpx2
import pytest
from phrases import QUESTION, STORY

from tests.assistants.sample.features.breakdown import REASON
from tests.support.chat import Chat, message, thread_of
from tests.support.dev import ROOT, Dev


def test_it_prints_its_address_what_answers_and_how_to_get_a_real_model(dev):
    assert dev.url in dev.output()
    assert "Offline demo" in dev.output()
    assert "OPENAI_API_KEY" in dev.output()


def test_page_chat_and_actions_are_on_one_origin(dev):
    assert "<html" in httpx2.get(dev.url).text
    assert "<html" in httpx2.get(f"{dev.url}/some/deep/link").text
    assert httpx2.get(f"{dev.url}/config.json").json()["api"]["chat"] == "/chatkit"
    for health in ("/chatkit/health", "/actions/health"):
        assert httpx2.get(dev.url + health).json()["status"] == "ok"


def test_the_console_shows_the_traceback_of_a_tool_that_raises(dev):
    Chat(dev.url).create("break down")
    printed = dev.output()
    assert "the tool break_down failed\nTraceback" in printed
    assert "in break_down" in printed
    assert f"KeyError: {REASON!r}" in printed


@pytest.fixture
def checkout(tmp_path):
    """A copy of the code: what a test saves there reloads no other server."""
    for folder in ("functions", "infra", "requirements"):
        shutil.copytree(ROOT / folder, tmp_path / folder, symlinks=True)
    for file in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path)
    for folder in (".venv", "frontend"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    return tmp_path


def test_conversations_outlive_a_reload_and_ctrl_c_ends_everything(checkout):
    with Dev(root=checkout) as dev:
        chat = Chat(dev.url)
        thread = thread_of(chat.create(QUESTION))
        os.utime(checkout / "functions/assistant/agent.py")  # as saving it does
        dev.wait_until(lambda: "Reloading" in dev.output())
        dev.wait_until(lambda: _still_there(chat, thread))
    assert dev.process.returncode is not None
    dev.wait_until_gone()


def _still_there(chat, thread):
    try:
        return chat.read("threads.get_by_id", thread_id=thread)["id"] == thread
    except httpx2.HTTPError:
        return False


def test_ctrl_c_in_mid_answer_tells_the_reader_and_prints_no_traceback():
    with Dev() as dev:
        chat = Chat(dev.url)
        with chat.open("threads.create", input=message(STORY)) as events:
            next(event for event in events if "delta" in event.get("update", {}))
            os.killpg(dev.process.pid, signal.SIGINT)
            last = list(events)[-1]
        dev.process.wait(timeout=30)
        assert (last["type"], "restarting" in last["message"]) == ("error", True)
        assert "Traceback" not in dev.output()
        assert "ERROR" not in dev.output()
