"""A run that is stopped during its claim knows whether the claim was written."""

import asyncio
from datetime import datetime

import pytest
from chatkit.types import InferenceOptions, UserMessageItem

from functions.chat.checks import Checked
from functions.chat.newest import NewestItems
from functions.chat.run_store import RunStore
from functions.context import RequestContext
from functions.store.runs import Run

ADA = RequestContext(user_id="ada")
HELLO = UserMessageItem(
    id="m", thread_id="t", created_at=datetime(2026, 1, 1), content=[],
    inference_options=InferenceOptions(),
)  # fmt: skip


class SlowTable:
    """Completes the write when `release` is set."""

    def __init__(self):
        self.started, self.release = asyncio.Event(), asyncio.Event()

    async def begin_run(self, run, context, *, thread, item):
        self.started.set()
        await self.release.wait()


async def test_a_run_that_is_stopped_during_its_claim_waits_for_the_claim():
    table = SlowTable()
    run_store = RunStore(table, Run("r", "t", 0.0), Checked("t", None, NewestItems()))
    writing = asyncio.create_task(run_store.add_thread_item("t", HELLO, ADA))
    await table.started.wait()
    writing.cancel()
    table.release.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert run_store.claimed
