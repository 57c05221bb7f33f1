"""A model is not asked before its request is released, whatever model it is."""

import asyncio

import pytest
from agents import Agent, Runner

from functions.models import demo_events
from functions.models.demo import DemoModel
from functions.models.hold import Held, Hold, released, waits


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(demo_events, "PACE", 0)


class Asked(DemoModel):
    """The demo's model, and whether it was asked."""

    asked = False

    async def stream_response(self, *args, **kwargs):
        self.asked = True
        async for event in super().stream_response(*args, **kwargs):
            yield event


async def test_a_model_that_knows_nothing_of_it_waits_all_the_same():
    hold, model = Hold(), Asked()
    hold.take()
    result = Runner.run_streamed(Agent(name="a", model=Held(model)), "Hello")
    await _until_nothing_moves()
    assert not model.asked
    hold.let_go()
    assert [event async for event in result.stream_events() if event.type == "raw_response_event"]
    assert "demo" in result.final_output


async def test_one_that_waits_by_itself_is_asked_at_once():
    hold, model = Hold(), Asked()
    hold.take()
    result = Runner.run_streamed(Agent(name="a", model=Held(waits(model))), "Hello")
    await _until_nothing_moves()
    assert model.asked
    hold.let_go()
    assert [event async for event in result.stream_events()]


async def test_an_answer_waits_until_somebody_is_there_for_it():
    hold, model = Hold(), Asked()
    hold.take()
    result = Runner.run_streamed(Agent(name="a", model=Held(model)), "Hello")
    hold.leave.set()
    await _until_nothing_moves()
    assert model.asked
    assert not _raw_events(result)
    hold.answer.set()
    await _until_nothing_moves()
    assert _raw_events(result)


async def test_nobody_waits_for_what_nobody_holds():
    await asyncio.wait_for(released(), 1)


async def _until_nothing_moves():
    """Nothing but the loop itself has anything to do."""
    for _ in range(200):
        await asyncio.sleep(0)


def _raw_events(result):
    events = [result._event_queue.get_nowait() for _ in range(result._event_queue.qsize())]
    return [event for event in events if getattr(event, "type", "") == "raw_response_event"]
