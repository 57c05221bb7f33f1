"""Runs one answer to its end, and hands it to the page that reads it.

A reader who leaves does not stop the run: in Lambda it could not be noticed, and the whole answer
is in the thread when they return. A run is stopped by the visitor's Stop, which is a flag in the
table, by its deadline, and by the end of the process.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from chatkit.errors import CustomStreamError

from ..web.sse import KEEP_ALIVE, encode, error_event

logger = logging.getLogger(__name__)

StopReason = Literal["visitor", "deadline", "shutdown"]

POLL = 0.7
"""Seconds between two reads of the flag, so that Stop stops within 1.5 s."""

SILENCE = 15.0
"""Seconds without an event after which a comment is sent: CloudFront cuts an origin that is
silent for its read timeout (30 s by default)."""

_WORDS: dict[StopReason, str | None] = {
    "visitor": None,  # they know
    "deadline": "This answer took longer than one request may last. What there is has been kept.",
    "shutdown": "The server is restarting. What there is of the answer has been kept.",
}


@dataclass
class Stop:
    """Why a run is stopped; None as long as it is not. The run and its server share it."""

    reason: StopReason | None = None


class Answer:
    """Runs `events` in a task of its own and hands what it yields to one reader.

    `is_cancelled` is called every `POLL` seconds. `deadline` is in seconds since the epoch.
    `stop` says why before the run is cancelled. `finish` is awaited when the run has ended,
    however it did.
    """

    def __init__(
        self,
        events: AsyncIterator[bytes],
        stop: Stop,
        *,
        deadline: float,
        is_cancelled: Callable[[], Awaitable[bool]],
        finish: Callable[[], Awaitable[None]],
    ) -> None:
        self._events = events
        self._stop = stop
        self._deadline = deadline
        self._is_cancelled = is_cancelled
        self._finish = finish
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._listening = True
        self._run: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None

    async def read(self) -> AsyncIterator[bytes]:
        """Start the run and yield its bytes. Leaving early leaves the run alone."""
        self._run = asyncio.create_task(self._pump())
        self._watch = asyncio.create_task(self._watch_for_stop(self._run))
        _answers.add(self)
        self._watch.add_done_callback(lambda _: _answers.discard(self))
        try:
            while True:
                try:
                    async with asyncio.timeout(SILENCE):
                        chunk = await self._queue.get()
                except TimeoutError:
                    yield KEEP_ALIVE
                    continue
                if chunk is None:
                    break
                yield chunk
            # Lambda freezes the environment with the last byte, so everything is done before it.
            await self._watch
        finally:
            self._listening = False

    def stop(self, reason: StopReason) -> None:
        if self._run is not None and not self._run.done() and self._stop.reason is None:
            self._stop.reason = reason
            self._run.cancel()

    async def ended(self) -> None:
        if self._watch is not None:
            await asyncio.wait({self._watch})

    async def _pump(self) -> None:
        try:
            async for chunk in self._events:
                self._hand_over(chunk)
        except asyncio.CancelledError:
            if self._stop.reason is None:
                raise
        except Exception as error:
            if not isinstance(error, CustomStreamError):
                logger.exception("the run failed")
            self._hand_over(encode(error_event(error)))
        if self._stop.reason and (words := _WORDS[self._stop.reason]):
            self._hand_over(encode(error_event(words)))

    async def _watch_for_stop(self, run: asyncio.Task[None]) -> None:
        try:
            while not run.done():
                left = self._deadline - time.time()
                if left <= 0:
                    self.stop("deadline")
                await asyncio.wait({run}, timeout=min(POLL, max(left, 0.05)))
                if not run.done() and self._stop.reason is None and await self._asked_to_stop():
                    self.stop("visitor")
            await self._finish()
        except Exception:
            logger.exception("the run's end was not recorded")
        finally:
            self._hand_over(None)

    async def _asked_to_stop(self) -> bool:
        try:
            return await self._is_cancelled()
        except Exception:
            logger.exception("could not look for Stop")
            return False

    def _hand_over(self, chunk: bytes | None) -> None:
        if self._listening:
            self._queue.put_nowait(chunk)


_answers: set[Answer] = set()


async def stop_all() -> None:
    """Stop every answer before the process ends, and keep what there is of each."""
    answers = list(_answers)
    for answer in answers:
        answer.stop("shutdown")
    for answer in answers:
        await answer.ended()
