"""Tools and actions that raise, as those of a developer do."""

import asyncio

from pydantic import BaseModel

from functions.toolkit import ActionError, Turn, action, tool

REASON = "the city of another user"


@tool
async def break_down(turn: Turn) -> str:
    """Raises."""
    raise KeyError(REASON)


@tool(ends_turn=True)
async def break_the_end(turn: Turn) -> str:
    """Raises, and would end the answer."""
    raise KeyError(REASON)


@tool
async def refuse(turn: Turn) -> str:
    """Refuses in words that are written for people."""
    raise ActionError(409, "The list is full.")


@tool
async def wait(turn: Turn) -> str:
    """Never ends."""
    await asyncio.Event().wait()


@tool
async def return_anything(turn: Turn) -> object:
    """Returns what is no JSON."""
    return object()


class Nothing(BaseModel):
    pass


@action("break.events", payload=Nothing)
async def break_events(run, payload):
    raise KeyError(REASON)
    yield


@action("break.sync", payload=Nothing, sync=True)
async def break_sync(run, payload):
    raise KeyError(REASON)


@action("break.answer", payload=Nothing, streams_answer=True)
async def break_answer(run, payload):
    raise KeyError(REASON)
