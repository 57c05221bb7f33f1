"""An answer runs to its end whoever listens; Stop and the deadline end it."""

import asyncio
import time

import pytest

from functions.chat import answer as module
from functions.chat.answer import Answer, Stop


class Run:
    """A run under test: yields `words`, then waits until it is let go or cancelled."""

    def __init__(self, *words, deadline=60.0):
        self.words = words
        self.let_go = asyncio.Event()
        self.flag = False
        self.stop = Stop()
        self.ended = []
        self.cancelled = False
        self.answer = Answer(
            self.events(),
            self.stop,
            deadline=time.time() + deadline,
            is_cancelled=self.is_cancelled,
            finish=self.finish,
        )

    async def events(self):
        try:
            for word in self.words:
                yield word
            await self.let_go.wait()
            yield b"end"
        except asyncio.CancelledError:
            self.cancelled = True
            raise

    async def is_cancelled(self):
        return self.flag

    async def finish(self):
        self.ended.append(self.stop.reason)

    async def read(self):
        return [chunk async for chunk in self.answer.read()]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(module, "POLL", 0.01)


async def test_what_the_run_yields_arrives_in_order_and_its_end_is_recorded():
    run = Run(b"a", b"b")
    run.let_go.set()
    assert await run.read() == [b"a", b"b", b"end"]
    assert run.ended == [None]


async def test_a_reader_who_leaves_does_not_stop_the_run():
    run = Run(b"a")
    reader = run.answer.read()
    assert await anext(reader) == b"a"
    await reader.aclose()
    run.let_go.set()
    await run.answer.ended()
    assert (run.cancelled, run.ended) == (False, [None])


async def test_the_flag_in_the_table_stops_the_run():
    run = Run(b"a")
    run.flag = True
    assert await run.read() == [b"a"]
    assert (run.cancelled, run.ended) == (True, ["visitor"])


async def test_at_the_deadline_the_visitor_is_told_and_may_retry():
    run = Run(b"a", deadline=0.05)
    first, told = await run.read()
    assert first == b"a"
    assert b'"allow_retry":true' in told
    assert b"longer" in told
    assert run.ended == ["deadline"]


async def test_a_run_that_fails_ends_in_an_error_that_says_nothing_of_the_cause():
    run = Run()

    async def failing():
        yield b"a"
        raise RuntimeError("the password is swordfish")

    run.answer._events = failing()
    first, told = await run.read()
    assert first == b"a"
    assert b"stream.error" in told
    assert b"swordfish" not in told


async def test_a_silent_run_sends_comments(monkeypatch):
    monkeypatch.setattr(module, "SILENCE", 0.01)
    run = Run()
    reader = run.answer.read()
    assert await anext(reader) == module.KEEP_ALIVE
    run.let_go.set()
    assert [chunk async for chunk in reader if chunk != module.KEEP_ALIVE] == [b"end"]


async def test_a_flag_that_cannot_be_read_does_not_stop_the_run(monkeypatch):
    run = Run(b"a")

    async def broken():
        run.let_go.set()
        raise ConnectionError

    monkeypatch.setattr(run.answer, "_is_cancelled", broken)
    assert await run.read() == [b"a", b"end"]


async def test_ending_the_process_keeps_what_there_is_of_every_answer():
    run = Run(b"a")
    reader = run.answer.read()
    await anext(reader)
    await module.stop_all()
    assert (run.cancelled, run.ended) == (True, ["shutdown"])
    assert b"restarting" in b"".join([chunk async for chunk in reader])
