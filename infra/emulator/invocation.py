"""One invocation: its event and its answer."""

import asyncio
import time
import uuid
from dataclasses import dataclass, field

MB = 1024 * 1024
EVENT_LIMIT = 6 * MB
BUFFERED_LIMIT = 6 * MB
STREAMED_LIMIT = 200 * MB


@dataclass
class Begin:
    """The function has begun to answer."""

    content_type: str
    streaming: bool


@dataclass
class End:
    """The answer has ended. `error` (`type: message`) says why it is incomplete."""

    error: str | None = None


@dataclass
class Invocation:
    """`answer` receives `Begin`, then `bytes`, then `End`; an early error is an `End` alone.

    The queue is short, so a slow caller slows the function down. After `abandon`, when the
    caller has left, the rest of the answer is read and dropped.
    """

    payload: bytes
    timeout: float
    arn: str
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    trace_id: str = "Root=1-65f00000-000000000000000000000000;Parent=0000000000000001;Sampled=0"
    deadline_ms: int = 0
    answer: "asyncio.Queue[Begin | bytes | End]" = field(
        default_factory=lambda: asyncio.Queue(maxsize=16)
    )
    ended: bool = False
    _left: asyncio.Event = field(default_factory=asyncio.Event)

    def start_clock(self) -> None:
        self.deadline_ms = int((time.time() + self.timeout) * 1000)

    def abandon(self) -> None:
        self._left.set()
        while not self.answer.empty():
            self.answer.get_nowait()

    async def put(self, part: Begin | bytes | End) -> None:
        if self.ended:
            return
        self.ended = isinstance(part, End)
        try:
            self.answer.put_nowait(part)
        except asyncio.QueueFull:
            put = asyncio.ensure_future(self.answer.put(part))
            left = asyncio.ensure_future(self._left.wait())
            await asyncio.wait({put, left}, return_when=asyncio.FIRST_COMPLETED)
            put.cancel()
            left.cancel()
        if self._left.is_set():
            self.abandon()
