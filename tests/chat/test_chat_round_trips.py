"""A message makes at most two sequential round trips before the model is called."""

import asyncio
import json
import threading

import pytest

from functions import aws
from functions.limit_table import SCOPES, LimitTable, Price, ScopeLimits
from tests.support.chat import Chat, thread_of
from tests.support.openai_server import Call, Say
from tests.support.round_trips import Recorder

EVERYTHING = dict.fromkeys(ScopeLimits.model_fields, 10**9)


@pytest.fixture(params=["no limits", "all limits"])
def app_settings(request, app_settings):
    if request.param == "no limits":
        return app_settings
    limits = LimitTable.model_validate(dict.fromkeys(SCOPES, EVERYTHING))
    price = Price(input=1, output=1)
    return app_settings.model_copy(
        update={"limits": limits, "prices": {"test": price}, "behind_cloudfront": True}
    )


@pytest.fixture
def ada(server):
    chat = Chat(server)
    chat.http.headers["x-chatkit-viewer-ip"] = "203.0.113.1"
    return chat


@pytest.fixture
def recorder(model, monkeypatch):
    return Recorder(model, monkeypatch)


def test_a_message_in_a_new_thread_makes_two_round_trips_before_the_model(ada, recorder):
    ada.create("Hi")
    assert len(recorder.round_trips()) <= 2, recorder.round_trips()


def test_a_message_in_an_existing_thread_makes_two_round_trips_before_the_model(ada, recorder):
    thread = thread_of(ada.create("Hi"))
    recorder.spans.clear()
    recorder.model_calls.clear()
    ada.say(thread, "And?")
    assert len(recorder.round_trips()) <= 2, recorder.round_trips()


def test_the_model_is_called_only_after_the_message_is_stored(ada, model, monkeypatch):
    order, called = [], threading.Event()
    call, answer = aws.call, model._next

    async def slow(method, /, **kwargs):
        if method.__name__ == "_transact" and not order:
            # Long enough for a wrong call of the model to happen first.
            await asyncio.to_thread(called.wait, 0.5)
            order.append("written")
        return await call(method, **kwargs)

    async def noted(request):
        order.append("model called")
        called.set()
        return await answer(request)

    monkeypatch.setattr(aws, "call", slow)
    monkeypatch.setattr(model, "_next", noted)
    ada.create("Hi")
    assert order[:2] == ["written", "model called"]


def test_a_repeated_request_does_not_call_the_model_again(ada, model):
    ada.create("Hi", {"x-chatkit-run-id": "twice"})
    calls = len(model.requests)
    ada.create("Hi", {"x-chatkit-run-id": "twice"})
    assert len(model.requests) == calls


class TestALongConversation:
    @pytest.fixture
    def app_settings(self, app_settings):
        return app_settings.model_copy(update={"history_items": 8})

    def test_a_summary_and_what_tools_returned_are_read_without_another_round_trip(
        self, ada, model, recorder
    ):
        model.script = [*[Say("Yes.")] * 5, Call("add", {"a": 1, "b": 2}), Say("3")]
        thread = thread_of(ada.create("Hi"))
        for _ in range(5):
            ada.say(thread, "And?")
        recorder.spans.clear()
        recorder.model_calls.clear()
        ada.say(thread, "And?")
        assert len(recorder.round_trips()) <= 2, recorder.round_trips()
        sent = json.dumps(model.requests[-1]["messages"])
        assert "They talked." in sent
        assert '"role": "tool"' in sent
