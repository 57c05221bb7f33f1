"""An answer runs to its end without a reader. Stop and the deadline end it."""

import asyncio
import time

import pytest

from functions.chat import answer as module
from functions.chat.answer import Answer, Stop


class Run:
    """A run that yields `words`, then waits until it is released or cancelled."""

    def __init__(self, *words, deadline=60.0):
        self.words = words
        self.release = asyncio.Event()
        self.flag = False
        self.stop = Stop()
        self.ended = []
        self.cancelled = False
        self.answer = Answer(
            self.events(),
            self.stop,
            run_id="run-1",
            deadline=time.time() + deadline,
            is_cancelled=self.is_cancelled,
            finish=self.finish,
        )

    async def events(self):
        try:
            for word in self.words:
                yield word
            await self.release.wait()
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
def fast_polling(monkeypatch):
    monkeypatch.setattr(module, "POLL_INTERVAL", 0.01)


async def test_the_bytes_of_a_run_arrive_in_order_and_its_end_is_recorded():
    run = Run(b"a", b"b")
    run.release.set()
    assert await run.read() == [b"a", b"b", b"end"]
    assert run.ended == [None]


async def test_a_reader_that_disconnects_does_not_stop_the_run():
    run = Run(b"a")
    reader = run.answer.read()
    assert await anext(reader) == b"a"
    await reader.aclose()
    run.release.set()
    await run.answer.ended()
    assert (run.cancelled, run.ended) == (False, [None])


async def test_the_flag_in_the_table_stops_the_run():
    run = Run(b"a")
    run.flag = True
    assert await run.read() == [b"a"]
    assert (run.cancelled, run.ended) == (True, ["visitor"])


async def test_an_answer_past_its_deadline_ends_with_an_error_that_allows_a_retry():
    run = Run(b"a", deadline=0.05)
    first, error = await run.read()
    assert first == b"a"
    assert b'"allow_retry":true' in error
    assert b"longer" in error
    assert run.ended == ["deadline"]


async def test_a_failed_run_is_logged_and_ends_with_an_error_that_does_not_reveal_the_cause(caplog):
    run = Run()

    async def failing():
        yield b"a"
        raise RuntimeError("the password is swordfish")

    run.answer._events = failing()
    first, error = await run.read()
    assert first == b"a"
    assert b"Something went wrong here. Please try again. (run run-1)" in error
    assert b"swordfish" not in error
    assert "the run failed" in caplog.text
    assert "in failing" in caplog.text


async def test_a_run_without_events_sends_comments(monkeypatch):
    monkeypatch.setattr(module, "KEEP_ALIVE_INTERVAL", 0.01)
    run = Run()
    reader = run.answer.read()
    assert await anext(reader) == module.KEEP_ALIVE
    run.release.set()
    assert [chunk async for chunk in reader if chunk != module.KEEP_ALIVE] == [b"end"]


async def test_a_run_continues_when_its_stop_flag_cannot_be_read(monkeypatch):
    run = Run(b"a")

    async def broken():
        run.release.set()
        raise ConnectionError

    monkeypatch.setattr(run.answer, "_is_cancelled", broken)
    assert await run.read() == [b"a", b"end"]


async def test_stopping_the_process_ends_every_answer_and_records_why():
    run = Run(b"a")
    reader = run.answer.read()
    await anext(reader)
    await module.stop_all()
    assert (run.cancelled, run.ended) == (True, ["shutdown"])
    assert b"restarting" in b"".join([chunk async for chunk in reader])
