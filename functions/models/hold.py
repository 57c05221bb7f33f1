"""Lets a request to a model be made ready before it may leave."""

import asyncio
from contextvars import ContextVar

_held: ContextVar[asyncio.Event | None] = ContextVar("held", default=None)


def hold() -> asyncio.Event:
    """From here on, requests of this task and of those that it begins wait for the event."""
    event = asyncio.Event()
    _held.set(event)
    return event


async def released(*_: object) -> None:
    """Wait until this task's requests may leave; at once for one that nobody holds."""
    event = _held.get()
    if event is not None:
        await event.wait()
