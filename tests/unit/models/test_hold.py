"""A model is not asked before its request is released, whatever model it is."""

import asyncio

import pytest
from agents import Agent, Runner

from functions.models import demo_events
from functions.models.demo import DemoModel
from functions.models.hold import held, hold, released, waits


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(demo_events, "PACE", 0)


async def test_a_model_that_knows_nothing_of_it_waits_all_the_same():
    go = hold()
    result = Runner.run_streamed(Agent(name="a", model=held(DemoModel())), "Hello")
    events = [event async for event in _until_nothing_moves(result)]
    assert not [event for event in events if event.type == "raw_response_event"]
    go.set()
    assert [event async for event in result.stream_events() if event.type == "raw_response_event"]
    assert "demo" in result.final_output


async def test_one_that_waits_by_itself_is_asked_as_it_is():
    model = waits(DemoModel())
    assert held(model) is model


async def test_nobody_waits_for_what_nobody_holds():
    await asyncio.wait_for(released(), 1)


async def _until_nothing_moves(result):
    """What comes while nothing but the loop itself has anything to do."""
    for _ in range(200):
        await asyncio.sleep(0)
    while not result._event_queue.empty():
        yield result._event_queue.get_nowait()
