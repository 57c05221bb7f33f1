"""What a message costs before the model is called: two round trips, one after the other."""

import asyncio
import threading
import time

import pytest

from functions import aws
from tests.support.chat import thread_of


class Recorder:
    """When each call to DynamoDB began and ended, and when the model was asked."""

    def __init__(self, model, monkeypatch):
        self.spans = []
        self.asked = []
        call, answer = aws.call, model._next

        async def timed(method, /, **kwargs):
            began = time.monotonic()
            try:
                return await call(method, **kwargs)
            finally:
                self.spans.append((began, time.monotonic(), getattr(method, "__name__", "?")))

        async def noted(request):
            self.asked.append(time.monotonic())
            return await answer(request)

        monkeypatch.setattr(aws, "call", timed)
        monkeypatch.setattr(model, "_next", noted)

    def waves(self):
        """Groups of calls that overlap, of those that began before the model was asked."""
        groups = []
        for began, ended, name in sorted(s for s in self.spans if s[0] < min(self.asked)):
            if groups and began < groups[-1][0]:
                groups[-1] = (max(groups[-1][0], ended), [*groups[-1][1], name])
            else:
                groups.append((ended, [name]))
        return [names for _, names in groups]


@pytest.fixture
def recorder(model, monkeypatch):
    return Recorder(model, monkeypatch)


def test_a_message_in_a_new_thread_makes_two_round_trips_before_the_model(ada, recorder):
    ada.create("Hi")
    assert len(recorder.waves()) <= 2, recorder.waves()


def test_a_message_in_an_existing_thread_makes_two_round_trips_before_the_model(ada, recorder):
    thread = thread_of(ada.create("Hi"))
    recorder.spans.clear()
    recorder.asked.clear()
    ada.say(thread, "And?")
    assert len(recorder.waves()) <= 2, recorder.waves()


def test_the_model_is_not_asked_before_the_table_has_the_message(ada, model, monkeypatch):
    order, asked = [], threading.Event()
    call, answer = aws.call, model._next

    async def slow(method, /, **kwargs):
        if method.__name__ == "_transact" and not order:
            # Time enough for a request that does not wait.
            await asyncio.to_thread(asked.wait, 0.5)
            order.append("written")
        return await call(method, **kwargs)

    async def noted(request):
        order.append("asked")
        asked.set()
        return await answer(request)

    monkeypatch.setattr(aws, "call", slow)
    monkeypatch.setattr(model, "_next", noted)
    ada.create("Hi")
    assert order[:2] == ["written", "asked"]


def test_a_request_that_is_sent_again_does_not_ask_the_model_again(ada, model):
    ada.create("Hi", {"x-chatkit-run-id": "twice"})
    asked = len(model.requests)
    ada.create("Hi", {"x-chatkit-run-id": "twice"})
    assert len(model.requests) == asked
