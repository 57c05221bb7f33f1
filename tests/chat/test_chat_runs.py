"""Stop ends a run, disconnecting does not, and a repeated request runs once."""

import json
import threading
import time
from types import SimpleNamespace

import pytest

from functions.chat import answer
from functions.limit_table import LimitTable
from functions.store import DynamoDBStore
from tests.support.chat import Chat, message, text_of, thread_of
from tests.support.openai_server import Say


def eventually(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not become true in time"
        time.sleep(0.02)


def begun(events):
    """Read until the first words of the answer. Returns the thread's id."""
    thread = next(event["thread"]["id"] for event in events if event["type"] == "thread.created")
    next(e for e in events if e["type"] == "thread.item.updated" and "delta" in e["update"])
    return thread


def cancel(chat, run_id, actions):
    return chat.http.post(f"{actions}/actions/cancel", json={"run_id": run_id})


def answers(chat, thread):
    return [
        item["content"][0]["text"]
        for item in chat.items(thread)
        if item["type"] == "assistant_message"
    ]


def test_stop_closes_the_connection_to_the_model_and_keeps_the_partial_answer(ada, model, actions):
    model.script = [Say("one two three", gate=threading.Event())]
    headers = {"x-chatkit-run-id": "run-1"}
    with ada.open("threads.create", headers, input=message("Count")) as events:
        thread = begun(events)
        asked = time.monotonic()
        assert cancel(ada, "run-1", actions).json() == {"cancelled": True}
        list(events)
    assert time.monotonic() - asked < 1.5
    eventually(lambda: model.hung_up == 1)
    assert answers(ada, thread) == ["one two "]


def test_stop_in_the_first_answer_leaves_a_title(ada, model, actions):
    model.script = [Say("one two three", gate=threading.Event())]
    with ada.open(
        "threads.create", {"x-chatkit-run-id": "run-t"}, input=message("Count")
    ) as events:
        begun(events)
        cancel(ada, "run-t", actions)
        list(events)
    assert ada.read("threads.list")["data"][0]["title"] in {"A fine title", "Count"}


def test_a_first_answer_that_breaks_off_leaves_a_title(ada, model):
    gate = threading.Event()
    gate.set()
    model.script = [Say("one two three", gate=gate, dies_after=2)]
    assert "error" in [event["type"] for event in ada.create("Count")]
    assert ada.read("threads.list")["data"][0]["title"]


def test_only_its_own_user_can_stop_a_run(ada, bob, model, actions):
    gate = threading.Event()
    model.script = [Say("one two three", gate=gate)]
    bob.http.post("/chatkit/session")
    headers = {"x-chatkit-run-id": "run-2"}
    with ada.open("threads.create", headers, input=message("Count")) as events:
        thread = begun(events)
        cancel(bob, "run-2", actions)
        gate.set()
        list(events)
    assert answers(ada, thread) == ["one two three"]


def test_a_run_that_was_stopped_before_it_began_writes_nothing(ada, actions):
    ada.http.post("/chatkit/session")
    cancel(ada, "run-3", actions)
    assert ada.create("Hi", {"x-chatkit-run-id": "run-3"}) == []
    assert ada.read("threads.list")["data"] == []


def test_a_visitor_who_leaves_finds_the_whole_answer_later(ada, model):
    gate = threading.Event()
    model.script = [Say("one two three", gate=gate)]
    with ada.open("threads.create", input=message("Count")) as events:
        thread = begun(events)
    gate.set()
    eventually(lambda: answers(ada, thread) == ["one two three"])
    assert model.hung_up == 0


def test_a_thread_with_a_running_answer_names_the_run_and_its_deadline(ada, model):
    gate = threading.Event()
    model.script = [Say("one two three", gate=gate)]
    with ada.open(
        "threads.create", {"x-chatkit-run-id": "run-4"}, input=message("Count")
    ) as events:
        thread = begun(events)
        for kind in ("threads.get_by_id", "items.list"):
            run, until = ada.post(kind, thread_id=thread).headers["x-chatkit-running"].split()
            assert run == "run-4"
            assert int(until) > time.time() * 1000
        gate.set()
        list(events)
    assert "x-chatkit-running" not in ada.post("threads.get_by_id", thread_id=thread).headers


def test_a_repeated_request_replays_the_first_run(ada, model):
    headers = {"x-chatkit-run-id": "run-5"}
    first = ada.create("Hi", headers)
    again = ada.create("Hi", headers)
    assert len(ada.read("threads.list")["data"]) == 1
    assert thread_of(again) == thread_of(first)
    assert [e["item"]["type"] for e in again if e["type"] == "thread.item.done"] == [
        "user_message",
        "assistant_message",
    ]


def test_a_repeated_action_runs_once(demo):
    chat = Chat(demo)
    events = chat.create("Let us vote")
    thread = thread_of(events)
    widget = next(item for item in chat.items(thread) if item["type"] == "widget")
    press = {
        "thread_id": thread,
        "item_id": widget["id"],
        "action": {"type": "vote.cast", "payload": _first_pick(widget["widget"])},
    }
    headers = {"x-chatkit-run-id": "run-7"}
    first = chat.stream("threads.custom_action", headers, **press)
    answered = chat.items(thread)
    assert "error" not in {event["type"] for event in first}
    assert chat.post("threads.custom_action", headers, **press).status_code in {200, 409}
    assert chat.items(thread) == answered


def _first_pick(node):
    """The payload of the first `vote.cast` button in a widget."""
    if isinstance(node, dict):
        if node.get("type") == "vote.cast":
            return node["payload"]
        node = list(node.values())
    if isinstance(node, list):
        return next((found for part in node if (found := _first_pick(part))), None)
    return None


def test_a_request_repeated_during_the_run_waits_and_gets_its_answer(ada, model):
    gate = threading.Event()
    model.script = [Say("one two three", gate=gate)]
    headers = {"x-chatkit-run-id": "run-6"}
    seen = []
    with ada.open("threads.create", headers, input=message("Hi")) as events:
        begun(events)
        tab = Chat(ada.url)
        tab.http.cookies = ada.http.cookies
        second = threading.Thread(target=lambda: seen.extend(tab.create("Hi", headers)))
        second.start()
        gate.set()
        list(events)
        second.join(timeout=20)
    assert "one two three" in json.dumps(seen)
    assert len(ada.read("threads.list")["data"]) == 1


class TestWithOneAnswerAtATime:
    @pytest.fixture
    def app_settings(self, app_settings):
        limits = LimitTable.model_validate({"person": {"answers_at_once": 1}})
        return app_settings.model_copy(update={"limits": limits})

    def test_a_repeated_request_is_told_which_thread_is_being_answered(self, ada, model):
        gate = threading.Event()
        model.script = [Say("one two three", gate=gate)]
        headers = {"x-chatkit-run-id": "run-8"}
        with ada.open("threads.create", headers, input=message("Hi")) as events:
            thread = begun(events)
            again = ada.post("threads.create", headers, input=message("Hi"))
            assert again.headers["x-chatkit-running"].startswith("run-8 ")
            (event,) = [json.loads(line[6:]) for line in again.text.split("\n\n") if line]
            assert (event["type"], event["thread"]["id"]) == ("thread.created", thread)
            ada.read("threads.delete", thread_id=thread)
            again = ada.post("threads.create", headers, input=message("Hi"))
            assert (again.status_code, again.json()["message"]) == (
                404,
                "This conversation does not exist.",
            )
            gate.set()
            list(events)


def test_an_answer_past_its_deadline_is_stored_and_can_be_retried(ada, model, monkeypatch):
    model.script = [Say("one two three", gate=threading.Event())]
    events = []
    with ada.open("threads.create", input=message("Count")) as stream:
        for event in stream:
            events.append(event)
            if text_of(events) == "one two ":  # the deadline passes now
                later = SimpleNamespace(time=lambda: time.time() + 3600)
                monkeypatch.setattr(answer, "time", later)
    assert (events[-1]["type"], events[-1]["allow_retry"]) == ("error", True)
    assert text_of(events) == "one two "
    assert answers(ada, thread_of(events)) == ["one two "]


def test_a_thread_that_is_deleted_during_an_answer_stays_deleted(ada, model):
    gate = threading.Event()
    model.script = [Say("one two three", gate=gate)]
    with ada.open("threads.create", input=message("Count")) as events:
        thread = begun(events)
        ada.read("threads.delete", thread_id=thread)
        gate.set()
        list(events)
    assert ada.read("threads.list")["data"] == []
    assert ada.post("items.list", thread_id=thread).status_code == 404


def test_a_message_to_a_thread_deleted_after_the_check_gets_an_error(ada, model, monkeypatch):
    thread = thread_of(ada.create("Hi"))
    asked, begin = len(model.requests), DynamoDBStore.begin_run

    async def late(store, run, context, **written):
        await store.delete_thread(thread, context)
        await begin(store, run, context, **written)

    monkeypatch.setattr(DynamoDBStore, "begin_run", late)
    (error,) = ada.say(thread, "And?")
    assert (error["type"], error["allow_retry"]) == ("error", False)
    assert "not here any more" in error["message"]
    assert len(model.requests) == asked
    assert ada.read("threads.list")["data"] == []
