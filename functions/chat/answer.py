"""Runs one answer to its end and streams it to the page.

A page that disconnects does not stop the run: Lambda does not report it, and the visitor finds the
whole answer in the thread later. Three things stop a run: the visitor's Stop, which is a flag in
the table, the run's deadline, and the end of the process.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from chatkit.errors import CustomStreamError

from ..web.sse import KEEP_ALIVE, encode, error_event

logger = logging.getLogger(__name__)

StopReason = Literal["visitor", "deadline", "shutdown"]

POLL_INTERVAL = 0.7
"""Seconds between two reads of the flag, so that Stop takes effect within 1.5 s."""

KEEP_ALIVE_INTERVAL = 15.0
"""Seconds without an event after which a comment is sent. CloudFront closes a connection on which
the origin sends nothing for its read timeout (30 s by default)."""

_MESSAGES: dict[StopReason, str | None] = {
    "visitor": None,  # the visitor stopped the run and needs no message
    "deadline": "This answer took longer than allowed. What was written so far is saved.",
    "shutdown": "The server is restarting. What was written so far is saved.",
}


@dataclass(frozen=True)
class EventStream:
    """Server-sent events, and the headers of their response."""

    events: AsyncIterator[bytes]
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Stop:
    """Why a run was stopped, or None. The `Answer` sets it and the ChatKit server reads it."""

    reason: StopReason | None = None


class Answer:
    """Runs `events` in a separate task and passes their bytes to one reader.

    `is_cancelled` is called every `POLL_INTERVAL` seconds. `deadline` is in seconds since the
    epoch. `stop.reason` is set before the run is cancelled. `finish` is awaited when the run has
    ended, whether it completed, failed or was stopped.
    """

    def __init__(
        self,
        events: AsyncIterator[bytes],
        stop: Stop,
        *,
        run_id: str,
        deadline: float,
        is_cancelled: Callable[[], Awaitable[bool]],
        finish: Callable[[], Awaitable[None]],
    ) -> None:
        self._events = events
        self._stop = stop
        self._run_id = run_id
        self._deadline = deadline
        self._is_cancelled = is_cancelled
        self._finish = finish
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._has_reader = True
        self._run: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None

    async def read(self) -> AsyncIterator[bytes]:
        """Start the run and yield its bytes. Closing this iterator does not stop the run."""
        self._run = asyncio.create_task(self._consume_events())
        self._watch = asyncio.create_task(self._watch_for_stop(self._run))
        _answers.add(self)
        self._watch.add_done_callback(lambda _: _answers.discard(self))
        try:
            while True:
                try:
                    async with asyncio.timeout(KEEP_ALIVE_INTERVAL):
                        chunk = await self._queue.get()
                except TimeoutError:
                    yield KEEP_ALIVE
                    continue
                if chunk is None:
                    break
                yield chunk
            # Lambda freezes the environment after the last byte, so finish everything before it.
            await self._watch
        finally:
            self._has_reader = False

    def stop(self, reason: StopReason) -> None:
        if self._run is not None and not self._run.done() and self._stop.reason is None:
            self._stop.reason = reason
            self._run.cancel()

    async def ended(self) -> None:
        if self._watch is not None:
            await asyncio.wait({self._watch})

    async def _consume_events(self) -> None:
        try:
            async for chunk in self._events:
                self._enqueue(chunk)
        except asyncio.CancelledError:
            if self._stop.reason is None:
                raise
        except Exception as error:
            if not isinstance(error, CustomStreamError):
                logger.exception("the run failed")
            self._enqueue(encode(error_event(error, self._run_id)))
        if self._stop.reason and (message := _MESSAGES[self._stop.reason]):
            self._enqueue(encode(error_event(message, self._run_id)))

    async def _watch_for_stop(self, run: asyncio.Task[None]) -> None:
        try:
            while not run.done():
                remaining = self._deadline - time.time()
                if remaining <= 0:
                    self.stop("deadline")
                await asyncio.wait({run}, timeout=min(POLL_INTERVAL, max(remaining, 0.05)))
                if not run.done() and self._stop.reason is None and await self._is_stop_requested():
                    self.stop("visitor")
            await self._finish()
        except Exception:
            logger.exception("the run's end was not recorded")
        finally:
            self._enqueue(None)

    async def _is_stop_requested(self) -> bool:
        try:
            return await self._is_cancelled()
        except Exception:
            logger.exception("could not read the stop flag")
            return False

    def _enqueue(self, chunk: bytes | None) -> None:
        if self._has_reader:
            self._queue.put_nowait(chunk)


_answers: set[Answer] = set()


async def stop_all() -> None:
    """Stop every answer before the process ends. What each has written so far is saved."""
    answers = list(_answers)
    for answer in answers:
        answer.stop("shutdown")
    for answer in answers:
        await answer.ended()
