"""Both functions from their bundles, on an emulated Lambda: whole turns, and turns cut short."""

import asyncio
import json
import os
import signal
import threading
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
from moto.dynamodb.models.table import Table

from functions.settings import Settings, forget_settings
from infra.emulator import project
from infra.emulator.edge import Edge
from infra.emulator.function import Function
from infra.emulator.function_url import FunctionUrl
from infra.emulator.server import Server
from infra.local.cloud import local_cloud
from tests.support.chat import message
from tests.support.openai_server import OpenAIServer, Say
from tests.support.served import served

MAX_BYTES_A_TURN = 40 * 1024


@pytest.fixture(scope="module")
def cloud():
    """Variables that lead to a table and a bucket of this module's own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "")
        patch.setenv("AWS_REGION", "us-east-1")
        patch.setenv("CHATKIT_TABLE", f"turns-{uuid4().hex}")
        patch.setenv("CHATKIT_ATTACHMENTS_BUCKET", f"turns-{uuid4().hex}")
        forget_settings()
        with local_cloud(Settings(_env_file=None)) as variables:
            yield dict(variables)
    forget_settings()


@pytest.fixture
def model():
    return OpenAIServer()


@pytest.fixture
def chat_timeout():
    """Seconds that the streaming function may take; a test that needs another overrides this."""
    return 300


@pytest.fixture
async def deployed(cloud, model, chat_timeout):
    """Both functions behind one edge, answering with the scripted model."""
    with served(model.app) as url:
        environment = {
            **cloud,
            "CHATKIT_COOKIE_KEY": "0" * 64,
            "OPENAI_BASE_URL": f"{url}/v1",
            "OPENAI_API_KEY": "test",
            "CHATKIT_MODEL": "test",
            "CHATKIT_MODEL_API": "chat_completions",
        }
        async with AsyncExitStack() as stack:
            yield await _Deployed(environment, chat_timeout).start(stack)


class _Deployed:
    def __init__(self, environment, chat_timeout):
        bundles = {name: project.bundle(name) for name in ("chat", "actions")}
        chat, actions = (
            make(bundles[name].task_root, environment, python=bundles[name].python)
            for name, make in (
                ("chat", project.chat_configuration),
                ("actions", project.actions_configuration),
            )
        )
        self.chat = Function(replace(chat, timeout=chat_timeout))
        self.actions = Function(actions)

    async def start(self, stack):
        origins = {
            "/chatkit": FunctionUrl(await stack.enter_async_context(self.chat), streaming=True),
            "/actions": FunctionUrl(await stack.enter_async_context(self.actions), streaming=False),
        }
        server = await stack.enter_async_context(Server(Edge(origins, Path(), {}).answer))
        self.http = await stack.enter_async_context(
            httpx2.AsyncClient(base_url=server.url, timeout=60, trust_env=False)
        )
        return self

    @property
    def log(self):
        """What the function wrote last."""
        return self.chat.environments[0].output[-2000:].decode()

    async def read(self, kind, **params):
        response = await self.http.post("/chatkit", json={"type": kind, "params": params})
        assert response.status_code == 200, response.text
        return response.json()

    def open(self, kind, *, run_id=None, **params):
        headers = {"x-chatkit-run-id": run_id} if run_id else {}
        body = {"type": kind, "params": params}
        return self.http.stream("POST", "/chatkit", json=body, headers=headers)

    async def turn(self, text="Hello", **params):
        """A whole turn; its events. A new thread unless `thread_id` says which."""
        kind = "threads.add_user_message" if params else "threads.create"
        async with self.open(kind, input=message(text), **params) as response:
            return [event async for event in _events(response)]

    async def answers(self, thread_id):
        """The assistant's texts in a thread."""
        page = await self.read("items.list", thread_id=thread_id, order="asc")
        return [
            "".join(part["text"] for part in item["content"])
            for item in page["data"]
            if item["type"] == "assistant_message"
        ]


async def _events(response):
    assert response.status_code == 200, await response.aread()
    async for line in response.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line[6:])


async def _until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def _first_words(events):
    """Read on until the answer has begun. The thread's id."""
    thread = None
    async for event in events:
        if event["type"] == "thread.created":
            thread = event["thread"]["id"]
        if event["type"] == "thread.item.updated":
            return thread
    raise AssertionError("no words came")


def _resources(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return {
        "threads": int(fields["Threads"]),
        "descriptors": len(list(Path(f"/proc/{pid}/fd").iterdir())),
        "memory": int(fields["VmRSS"].split()[0]) * 1024,
    }


async def test_a_killed_function_cuts_the_answer_and_the_thread_goes_on(deployed, model):
    gate = threading.Event()
    model.script = [Say("one two three four", gate=gate), Say("and again")]
    async with deployed.open("threads.create", input=message("Hello")) as response:
        events = _events(response)
        thread = await _first_words(events)
        os.kill(deployed.chat.environments[0].pid, signal.SIGKILL)
        with pytest.raises(httpx2.RemoteProtocolError):
            async for _ in events:
                pass
    gate.set()
    await deployed.chat.settled()
    page = await deployed.read("items.list", thread_id=thread, order="asc")
    assert [item["type"] for item in page["data"]] == ["user_message"]
    await deployed.turn("Still there?", thread_id=thread)
    assert (await deployed.answers(thread))[-1] == "and again"


@pytest.mark.parametrize("chat_timeout", [14])
async def test_an_answer_ends_ten_seconds_before_the_function_would_be_killed(deployed, model):
    await deployed.http.post("/chatkit/session")  # the cold start is not what is timed
    await deployed.chat.settled()
    model.script = [Say("one two three four", gate=threading.Event())]
    began = time.monotonic()
    events = await deployed.turn()
    assert (events[-1]["type"], events[-1]["allow_retry"]) == ("error", True)
    assert 3 < time.monotonic() - began < 14 - 5
    await deployed.chat.settled()
    thread = next(event["thread"]["id"] for event in events if event["type"] == "thread.created")
    assert await deployed.answers(thread) == ["one two three "]
    assert model.hung_up == 1


async def test_a_reader_who_leaves_finds_the_whole_answer(deployed, model):
    gate = threading.Event()
    model.script = [Say("one two three four", gate=gate)]
    async with deployed.open("threads.create", input=message("Hello")) as response:
        thread = await _first_words(_events(response))
    gate.set()
    await deployed.chat.settled()
    assert await deployed.answers(thread) == ["one two three four"]
    assert model.hung_up == 0


async def test_stop_through_the_second_function_stops_the_first(deployed, model):
    model.script = [Say("one two three four", gate=threading.Event())]
    run = uuid4().hex
    await deployed.http.get("/actions/health")  # its cold start is not what is waited for
    async with deployed.open("threads.create", input=message("Hello"), run_id=run) as response:
        thread = await _first_words(_events(response))
    cancelled = await deployed.http.post("/actions/cancel", json={"run_id": run})
    assert cancelled.json() == {"cancelled": True}
    await asyncio.wait_for(deployed.chat.settled(), 10)
    await _until(lambda: model.hung_up == 1)
    assert (await deployed.answers(thread))[0].startswith("one two")


@pytest.mark.parametrize("count", [100, pytest.param(400, marks=pytest.mark.soak)])
async def test_many_turns_in_one_environment_leave_nothing_behind(
    deployed, model, monkeypatch, count
):
    # For each transaction moto copies the whole table, which would come to be most of the time.
    monkeypatch.setattr(Table, "__deepcopy__", lambda self, _: self, raising=False)
    model.script = [Say("one two three four five six seven eight nine ten")]

    async def turns(count):
        for _ in range(count):
            events = await deployed.turn()
            assert "error" not in {event["type"] for event in events}, deployed.log
            await deployed.chat.settled()

    await deployed.http.post("/chatkit/session")
    await deployed.chat.settled()
    # As many calls side by side as no turn below makes, so that the pool of threads is grown up.
    asked = message("Look", attachments=[f"atc_{number}" for number in range(10)])
    answer = await deployed.http.post(
        "/chatkit", json={"type": "threads.create", "params": {"input": asked}}
    )
    assert answer.status_code == 404, answer.text
    await deployed.chat.settled()
    await turns(30)
    (environment,) = deployed.chat.environments
    before = _resources(environment.pid)
    await turns(count)
    after = _resources(environment.pid)
    assert deployed.chat.environments == [environment]
    assert after["threads"] <= before["threads"]
    assert after["descriptors"] <= before["descriptors"]
    assert after["memory"] - before["memory"] < count * MAX_BYTES_A_TURN, (before, after)
