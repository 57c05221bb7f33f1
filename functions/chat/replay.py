"""The answer to a request that was sent again: what the first one writes.

ChatKit's element sends a streaming request again when its connection breaks. The run must not
run twice, and the visitor still wants to see it. So the second request waits until the first is
over, and then sends the items that it wrote.
"""

import asyncio
import time
from collections.abc import AsyncIterator

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

from ..context import RequestContext
from ..services import Services
from ..store.runs import Run
from ..web.sse import encode

PAUSE = 1.0
"""Seconds between two checks whether the first run is over."""

NEWEST = 50
"""The most items of one answer that are sent again."""


async def replay(
    services: Services, run: Run, context: RequestContext, new_thread: bool
) -> AsyncIterator[bytes]:
    """Wait for `run` to end, then send the newest user message and all that follows it."""
    while await _going(services, run, context) and time.time() < run.deadline:  # noqa: ASYNC110
        await asyncio.sleep(PAUSE)
    turn = await services.store.read_turn(run.thread_id, NEWEST, context)
    thread = Thread(**turn.thread.model_dump(), items=Page())
    if new_thread:
        yield encode(ThreadCreatedEvent(thread=thread))
    for item in _latest_exchange(turn.items.data):
        yield encode(ThreadItemDoneEvent(item=item))
    yield encode(ThreadUpdatedEvent(thread=thread))


async def _going(services: Services, run: Run, context: RequestContext) -> bool:
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
