"""One answer on its way to the page: it runs to its end, whoever is listening.

A reader who leaves does not stop the run, here or in Lambda (where nobody could
tell): the whole answer is in the thread on return. What stops a run is the
visitor's Stop, which reaches us as a flag in the table, and the deadline.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Literal

from chatkit.errors import CustomStreamError, ErrorCode
from chatkit.types import ErrorEvent

logger = logging.getLogger(__name__)

StopReason = Literal["visitor", "deadline", "shutdown"]

POLL = 0.7
"""Seconds between two looks at the flag, so that Stop stops within 1.5 s."""

SILENCE = 15.0
"""Seconds without an event after which a comment is sent: CloudFront cuts an origin that is
silent for its read timeout (30 s by default)."""

KEEP_ALIVE = b": still here\n\n"

_WORDS: dict[StopReason, str | None] = {
    "visitor": None,  # they know
    "deadline": "This answer took longer than one request may last. What there is has been kept.",
    "shutdown": "The server is restarting. What there is of the answer has been kept.",
}


class Answer:
    """Runs `events` in a task of its own and hands what it yields to one reader.

    `is_cancelled` is asked every `POLL` seconds; `deadline` is in seconds since
    the epoch; `stopping` is told why before the run is cancelled; `finish` is
    awaited when the run has ended, however it did.
    """

    def __init__(
        self,
        events: AsyncIterator[bytes],
        *,
        deadline: float,
        is_cancelled: Callable[[], Awaitable[bool]],
        stopping: Callable[[StopReason], None],
        finish: Callable[[StopReason | None], Awaitable[None]],
    ) -> None:
        self._events = events
        self._deadline = deadline
        self._is_cancelled = is_cancelled
        self._stopping = stopping
        self._finish = finish
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._listening = True
        self._stopped: StopReason | None = None
        self._run: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None

    async def read(self) -> AsyncIterator[bytes]:
        """Start the run and yield its bytes. Leaving early leaves the run alone."""
        self._run = asyncio.create_task(self._pump())
        self._watch = asyncio.create_task(self._look_out(self._run))
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
            # In Lambda the environment freezes with the last byte: leave nothing undone.
            await self._watch
        finally:
            self._listening = False

    def stop(self, reason: StopReason) -> None:
        if self._run is not None and not self._run.done() and self._stopped is None:
            self._stopped = reason
            self._stopping(reason)
            self._run.cancel()

    async def ended(self) -> None:
        if self._watch is not None:
            await asyncio.wait({self._watch})

    async def _pump(self) -> None:
        try:
            async for chunk in self._events:
                self._hand_over(chunk)
        except asyncio.CancelledError:
            if self._stopped is None:
                raise
        except CustomStreamError as error:
            self._hand_over(_error(error.message, allow_retry=error.allow_retry))
        except Exception:
            logger.exception("the run failed")
            self._hand_over(_error(None))
        if self._stopped and (words := _WORDS[self._stopped]):
            self._hand_over(_error(words))

    async def _look_out(self, run: asyncio.Task[None]) -> None:
        try:
            while not run.done():
                left = self._deadline - time.time()
                if left <= 0:
                    self.stop("deadline")
                await asyncio.wait({run}, timeout=min(POLL, max(left, 0.05)))
                if not run.done() and self._stopped is None and await self._asked_to_stop():
                    self.stop("visitor")
            await self._finish(self._stopped)
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
    """Before the process ends: keep what there is of every answer."""
    answers = list(_answers)
    for answer in answers:
        answer.stop("shutdown")
    for answer in answers:
        await answer.ended()


def _error(message: str | None, *, allow_retry: bool = True) -> bytes:
    event = (
        ErrorEvent(message=message, allow_retry=allow_retry)
        if message
        else ErrorEvent(code=ErrorCode.STREAM_ERROR, allow_retry=allow_retry)
    )
    return b"data: " + event.model_dump_json(exclude_none=True).encode() + b"\n\n"
