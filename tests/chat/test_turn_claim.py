"""A claim that was begun is known, also by whoever stops the run in the middle of it."""

import asyncio
from datetime import datetime

import pytest
from chatkit.types import InferenceOptions, UserMessageItem

from functions.chat.checks import Checked
from functions.chat.newest import NewestItems
from functions.chat.turn_store import TurnStore
from functions.context import RequestContext
from functions.store.runs import Run

ADA = RequestContext(user_id="ada")
HELLO = UserMessageItem(
    id="m", thread_id="t", created_at=datetime(2026, 1, 1), content=[],
    inference_options=InferenceOptions(),
)  # fmt: skip


class SlowTable:
    """Writes when it is let."""

    def __init__(self):
        self.asked, self.let = asyncio.Event(), asyncio.Event()

    async def begin_run(self, run, context, *, thread, item):
        self.asked.set()
        await self.let.wait()

    async def spend(self, context):
        pass


async def test_stopping_in_the_middle_of_the_claim_waits_for_what_becomes_of_it():
    table = SlowTable()
    turn = TurnStore(table, table, Run("r", "t", 0.0), Checked("t", None, NewestItems()))
    writing = asyncio.create_task(turn.add_thread_item("t", HELLO, ADA))
    await table.asked.wait()
    writing.cancel()
    table.let.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert turn.claimed
