"""Answers a repeated request with the items that the first request writes.

ChatKit's element sends a streaming request again when its connection breaks. The run must not
start twice, but the visitor still needs its answer. So the second request waits until the first
run is over and then sends the items that the run stored.
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

POLL_INTERVAL = 1.0
"""Seconds between two checks whether the first run is over."""

MAX_ITEMS = 50
"""The number of newest items among which the answer is looked for."""


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
