"""Answers a repeated request with the items that the first request writes.

ChatKit's element sends a streaming request again when its connection breaks. The run must not
start twice, but the visitor still needs its answer. So the second request waits until the first
run is over and then sends the items that the run stored.
"""

import asyncio
import time
from collections.abc import AsyncIterator

from chatkit.store import NotFoundError
from chatkit.types import (
    HiddenContextItem,
    Page,
    SDKHiddenContextItem,
    Thread,
    ThreadCreatedEvent,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadUpdatedEvent,
    UserMessageItem,
)

from .. import aws
from ..context import RequestContext
from ..errors import PublicError
from ..limits import Use
from ..services import Services
from ..store.runs import Run
from ..web.app import RUNNING_HEADER, running_header
from ..web.sse import KEEP_ALIVE, encode
from .answer import Answer, EventStream, Stop

POLL_INTERVAL = 1.0
"""Seconds between two checks whether the first run is over."""

MAX_ITEMS = 50
"""The number of newest items among which the answer is looked for."""


async def replay_once(
    services: Services, run: Run, context: RequestContext, new_thread: bool, deadline: float
) -> EventStream:
    """The replay of a run, if it has none yet and one more answer may be streamed.

    Otherwise the stream is empty, with the header by which the page knows that an answer is being
    written; of a new thread it says which one it is, because the page must know what to fetch. So a
    connection that breaks again and again takes one more stream at most. The replay ends by
    `deadline` (Unix seconds).
    """
    try:
        slot = Use(answers=1, requests=1)
        streaming = await services.limits.reserve(context, slot, until=deadline)
    except PublicError:
        return await _empty(services, run, context, new_thread)
    claimed = False
    try:
        claimed = await services.runs.claim_replay(run, context)
    finally:
        if not claimed:
            await streaming.settle(Use(requests=1))
    if not claimed:
        return await _empty(services, run, context, new_thread)

    async def is_cancelled() -> bool:
        return False  # Stop ends the run, and the replay with it

    async def finish() -> None:
        await aws.together(
            streaming.settle(Use(requests=1)), services.runs.end_replay(run, context)
        )

    events = replay(services, run, context, new_thread)
    answer = Answer(
        events,
        Stop(),
        run_id=run.id,
        deadline=deadline,
        is_cancelled=is_cancelled,
        finish=finish,
    )
    return EventStream(answer.read())


async def _empty(
    services: Services, run: Run, context: RequestContext, new_thread: bool
) -> EventStream:
    first = KEEP_ALIVE  # a body without a byte can hang a Function URL
    if new_thread:
        try:
            thread = await services.store.load_thread(run.thread_id, context)
        except NotFoundError:  # it was deleted since
            raise PublicError(404, "This conversation does not exist.") from None
        first = encode(ThreadCreatedEvent(thread=Thread(**thread.model_dump(), items=Page())))

    async def only_first() -> AsyncIterator[bytes]:
        yield first

    return EventStream(only_first(), {RUNNING_HEADER: running_header(run.id, run.deadline)})


async def replay(
    services: Services, run: Run, context: RequestContext, new_thread: bool
) -> AsyncIterator[bytes]:
    """Wait for `run` to end, then send the newest user message and every item after it."""
    while await _is_running(services, run, context) and time.time() < run.deadline:  # noqa: ASYNC110
        await asyncio.sleep(POLL_INTERVAL)
    opened = await services.store.read_turn(run.thread_id, MAX_ITEMS, context)
    thread = Thread(**opened.thread.model_dump(), items=Page())
    if new_thread:
        yield encode(ThreadCreatedEvent(thread=thread))
    for item in _latest_exchange(opened.items.data):
        yield encode(ThreadItemDoneEvent(item=item))
    yield encode(ThreadUpdatedEvent(thread=thread))


async def _is_running(services: Services, run: Run, context: RequestContext) -> bool:
    running = await services.runs.running(run.thread_id, context)
    return running is not None and running.run_id == run.id


def _latest_exchange(newest_first: list[ThreadItem]) -> list[ThreadItem]:
    items: list[ThreadItem] = []
    for item in newest_first:
        if not isinstance(item, HiddenContextItem | SDKHiddenContextItem):
            items.append(item)
        if isinstance(item, UserMessageItem):
            break
    return items[::-1]
