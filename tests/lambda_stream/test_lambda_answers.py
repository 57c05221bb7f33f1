"""Both functions from their bundles on an emulated Lambda: whole answers, and interrupted ones."""

import asyncio
import json
import os
import signal
import socket
import threading
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import count
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
from moto.dynamodb.models.table import Table

from infra.emulator import project
from infra.emulator.edge import Edge
from infra.emulator.function import Function
from infra.emulator.function_url import FunctionUrl
from infra.emulator.server import Server
from infra.local.moto_server import MotoServer
from infra.stack.limits import answers_at_once
from tests.assistants import FOLDER
from tests.support.chat import message
from tests.support.cloud import own_cloud
from tests.support.mcp_server import Shop, before_2026
from tests.support.openai_server import Call, OpenAIServer, Say
from tests.support.served import served

MAX_BYTES_PER_ANSWER = 40 * 1024


@pytest.fixture(scope="module")
def cloud():
    """The variables of a table and a bucket that only this module uses."""
    with pytest.MonkeyPatch.context() as patch, own_cloud(patch) as variables:
        yield dict(variables)


@pytest.fixture
def model():
    return OpenAIServer()


@pytest.fixture
def chat_timeout():
    """The streaming function's timeout in seconds. A test may override it."""
    return 300


@pytest.fixture
def concurrency():
    """How many environments the streaming function may have. A test may override it."""
    return 20


@pytest.fixture
def limits():
    """The limits of both functions. A test may override it."""
    return {}


@pytest.fixture
def mcp_servers():
    """The MCP servers of the assistant. A test may override it."""
    return []


@pytest.fixture
def assistant():
    """A module of `tests/assistants` in place of the starter. A test may override it."""
    return ""


@pytest.fixture
def variables(limits, mcp_servers, assistant):
    return {
        "CHATKIT_LIMITS": json.dumps(limits),
        "CHATKIT_MCP_SERVERS": json.dumps(mcp_servers),
        **({"CHATKIT_ASSISTANT": assistant} if assistant else {}),
    }


@pytest.fixture
async def deployed(cloud, model, chat_timeout, concurrency, variables):
    """Both functions behind one edge, with the scripted model."""
    with served(model.app) as url:
        environment = {
            **cloud,
            "CHATKIT_COOKIE_KEY": "0" * 64,
            "OPENAI_BASE_URL": f"{url}/v1",
            "OPENAI_API_KEY": "test",
            "CHATKIT_MODEL": "test",
            "CHATKIT_MODEL_API": "chat_completions",
            **variables,
        }
        async with AsyncExitStack() as stack:
            yield await _Deployed(environment, chat_timeout, concurrency).start(stack)


class _Deployed:
    def __init__(self, environment, chat_timeout, concurrency):
        bundles = {name: project.bundle(name) for name in ("chat", "actions")}
        chat, actions = (
            make(bundles[name].task_root, environment, python=bundles[name].python)
            for name, make in (
                ("chat", project.chat_configuration),
                ("actions", project.actions_configuration),
            )
        )
        own = (FOLDER,) if "CHATKIT_ASSISTANT" in environment else ()
        self.chat = Function(
            replace(chat, timeout=chat_timeout, concurrency=concurrency, packages=own)
        )
        self.actions = Function(actions)

    async def start(self, stack):
        origins = {
            "/chatkit": FunctionUrl(await stack.enter_async_context(self.chat), streaming=True),
            "/actions": FunctionUrl(await stack.enter_async_context(self.actions), streaming=False),
        }
        server = await stack.enter_async_context(Server(Edge(origins, Path(), {}).answer))
        self.url = server.url
        self.http = await stack.enter_async_context(self.browser())
        return self

    def browser(self):
        return httpx2.AsyncClient(base_url=self.url, timeout=60, trust_env=False)

    @property
    def log(self):
        """The last lines of the function's log."""
        return self.chat.environments[0].output[-2000:].decode()

    async def read(self, kind, **params):
        response = await self.http.post("/chatkit", json={"type": kind, "params": params})
        assert response.status_code == 200, response.text
        return response.json()

    def open(self, kind, *, run_id=None, **params):
        headers = {"x-chatkit-run-id": run_id} if run_id else {}
        body = {"type": kind, "params": params}
        return self.http.stream("POST", "/chatkit", json=body, headers=headers)

    async def send(self, text="Hello", **params):
        """Send a message, to a new thread unless `thread_id` is given. Returns all events."""
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
    """Read until the answer has begun. Returns the thread's id."""
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


async def test_a_thread_continues_after_its_function_was_killed_during_an_answer(deployed, model):
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
    await deployed.send("Still there?", thread_id=thread)
    assert (await deployed.answers(thread))[-1] == "and again"


@pytest.mark.parametrize("assistant", ["careful"])
async def test_an_approved_tool_runs_in_another_environment_than_the_one_that_asked(
    deployed, model
):
    model.script = [Call("send_money", {"to": "Bob", "amount": 5}), Say("It is sent.")]
    asked = await deployed.send("Send Bob 5")
    card = next(e["item"] for e in asked if e.get("item", {}).get("type") == "widget")
    os.kill(deployed.chat.environments[0].pid, signal.SIGKILL)
    await deployed.chat.settled()
    await deployed.http.get("/chatkit/health")  # finds the dead one, and makes room for another
    place = {"thread_id": card["thread_id"], "item_id": card["id"]}
    action = {"type": "approval.decide", "payload": {"approve": True}}
    async with deployed.open("threads.custom_action", action=action, **place) as response:
        assert [event async for event in _events(response)]
    assert await deployed.answers(card["thread_id"]) == ["It is sent."]
    assert "has sent 5 to Bob" in json.dumps(model.requests[1])


@pytest.mark.parametrize("chat_timeout", [14])
async def test_an_answer_ends_ten_seconds_before_the_function_would_be_killed(deployed, model):
    await deployed.http.post("/chatkit/session")  # keep the cold start out of the measured time
    await deployed.chat.settled()
    model.script = [Say("one two three four", gate=threading.Event())]
    began = time.monotonic()
    events = await deployed.send()
    assert (events[-1]["type"], events[-1]["allow_retry"]) == ("error", True)
    assert 3 < time.monotonic() - began < 14 - 5
    await deployed.chat.settled()
    thread = next(event["thread"]["id"] for event in events if event["type"] == "thread.created")
    assert await deployed.answers(thread) == ["one two three "]
    assert model.hung_up == 1


async def test_a_reader_who_disconnects_finds_the_whole_answer_later(deployed, model):
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
    await deployed.http.get("/actions/health")  # keep its cold start out of the wait
    async with deployed.open("threads.create", input=message("Hello"), run_id=run) as response:
        thread = await _first_words(_events(response))
    cancelled = await deployed.http.post("/actions/cancel", json={"run_id": run})
    assert cancelled.json() == {"cancelled": True}
    await asyncio.wait_for(deployed.chat.settled(), 10)
    await _until(lambda: model.hung_up == 1)
    assert (await deployed.answers(thread))[0].startswith("one two")


class TestMcp:
    """The tools of an MCP server that has sessions, as servers before 2026 do."""

    @pytest.fixture
    def shop_port(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            return free.getsockname()[1]

    @pytest.fixture
    def mcp_servers(self, shop_port):
        return [{"name": "shop", "url": f"http://127.0.0.1:{shop_port}/mcp"}]

    async def test_a_server_is_used_again_after_a_freeze_and_after_it_was_restarted(
        self, deployed, model, shop_port
    ):
        def asks():
            model._answered = 0
            model.script = [Call("mcp_shop__find", {"what": "pears"}), Say("There are three.")]

        for answers in (2, 1):
            shop = Shop()
            with served(before_2026(shop.app()), port=shop_port):
                for _ in range(answers):
                    asks()
                    await deployed.send("Pears?")
                    await deployed.chat.settled()  # and frozen
            assert shop.calls == [("find", "pears")] * answers
            sessions = {each.get("mcp-session-id") for each in shop.requests} - {None}
            # The second server is asked with the session of the first, which it does not know.
            assert len(sessions) == (1 if answers == 2 else 2)
        asks()
        events = await deployed.send("Pears?")
        assert [each["message"] for each in events if each["type"] == "notice"] == [
            "shop does not answer right now. This answer may lack something."
        ]
        assert "There are three." in json.dumps(events[-3:])


async def grow_the_thread_pool(deployed):
    """Make more AWS calls at one time than any answer makes, so that the pool does not grow later.

    The table answers none of them before ten have come: a fast answer would free a thread for the
    next call.
    """
    came, ten_came = count(1), threading.Event()
    may_ask = MotoServer._may_ask

    def when_ten_came(self, environ):
        if environ.get("HTTP_X_AMZ_TARGET", "").endswith(".GetItem"):
            if next(came) == 10:
                ten_came.set()
            assert ten_came.wait(60)
        return may_ask(self, environ)

    asked = message("Look", attachments=[f"atc_{number}" for number in range(10)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MotoServer, "_may_ask", when_ten_came)
        answer = await deployed.http.post(
            "/chatkit", json={"type": "threads.create", "params": {"input": asked}}
        )
    assert ten_came.is_set()
    assert answer.status_code == 404, answer.text
    await deployed.chat.settled()


@pytest.mark.parametrize("answers", [100, pytest.param(400, marks=pytest.mark.soak)])
async def test_many_answers_in_one_environment_leak_nothing(deployed, model, monkeypatch, answers):
    # moto copies the whole table for each transaction, which would take most of the time.
    monkeypatch.setattr(Table, "__deepcopy__", lambda self, _: self, raising=False)
    model.script = [Say("one two three four five six seven eight nine ten")]
    # How many connections to the model are idle depends on whether a title was made meanwhile.
    model.ends_connections = True

    async def turns(number):
        for _ in range(number):
            events = await deployed.send()
            assert "error" not in {event["type"] for event in events}, deployed.log
            await deployed.chat.settled()

    await deployed.http.post("/chatkit/session")
    await deployed.chat.settled()
    await grow_the_thread_pool(deployed)
    await turns(30)
    (environment,) = deployed.chat.environments

    async def resources():
        """The most of several looks: each time the environment is frozen at another moment, before
        or after it has closed its last connection and opened the one for its next answer.
        """
        looks = []
        for _ in range(10):
            assert (await deployed.http.get("/chatkit/health")).status_code == 200
            await deployed.chat.settled()
            looks.append(_resources(environment.pid))
        return {name: max(look[name] for look in looks) for name in looks[0]}

    before = await resources()
    await turns(answers)
    after = await resources()
    assert deployed.chat.environments == [environment]
    assert after["threads"] <= before["threads"]
    assert after["descriptors"] <= before["descriptors"]
    assert after["memory"] - before["memory"] < answers * MAX_BYTES_PER_ANSWER, (before, after)


def of_a_stage(concurrency):
    """Limits like those of a stage with that concurrency."""
    return {"stage": {"answers_at_once": answers_at_once(concurrency)}, "kept_share": 0}


@pytest.mark.parametrize(
    ("concurrency", "limits"),
    [(5, of_a_stage(5)), pytest.param(20, of_a_stage(20), marks=pytest.mark.soak)],
)
async def test_a_reader_is_answered_while_as_many_answers_are_streamed_as_may_be(
    deployed, model, concurrency
):
    gate = threading.Event()
    model.script = [Say("one two three", gate=gate)]
    statuses, begun = [], asyncio.Semaphore(0)

    async def ask():
        body = {"type": "threads.create", "params": {"input": message("Count")}}
        try:
            async with (
                deployed.browser() as browser,
                browser.stream("POST", "/chatkit", json=body) as response,
            ):
                statuses.append(response.status_code)
                if response.status_code == 429:
                    assert int(response.headers["retry-after"]) > 0
                    return ""
                lines = response.aiter_lines()
                async for line in lines:
                    if '"two' in line or "one " in line:
                        break
                begun.release()
                return "".join([line async for line in lines])
        finally:
            begun.release()  # a request that was refused or has failed begins nothing

    await deployed.http.post("/chatkit/session")
    await deployed.chat.settled()  # an environment that is not idle yet would be one too few
    asked = [asyncio.create_task(ask()) for _ in range(concurrency)]
    for _ in asked:
        await begun.acquire()
    allowed = answers_at_once(concurrency)
    assert sorted(statuses) == [200] * allowed + [429] * (concurrency - allowed)
    assert (await deployed.read("threads.list"))["data"] == []
    assert (await deployed.http.post("/chatkit/session")).status_code == 200
    gate.set()
    answers = await asyncio.gather(*asked)
    assert len([text for text in answers if "one two three" in text]) == allowed
