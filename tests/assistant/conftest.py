"""The starter's features by themselves: a person's documents in memory, and a turn that notes."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from chatkit.types import ThreadMetadata, WidgetItem

from functions.context import RequestContext
from functions.store import Conflict
from functions.toolkit import ActionRun, Documents

NOW = datetime(2026, 1, 1, tzinfo=UTC)
THREAD = ThreadMetadata(id="thr_1", created_at=NOW)
ADA = RequestContext(user_id="ada")


class Records:
    """Records with versions, which let others in between a read and a write."""

    def __init__(self):
        self.kept = {}

    async def get(self, kind, context):
        await asyncio.sleep(0)
        return self.kept.get(kind, (None, 0))

    async def put(self, kind, value, context, *, version):
        await asyncio.sleep(0)
        if self.kept.get(kind, (None, 0))[1] != version:
            raise Conflict(kind)
        self.kept[kind] = (value, version + 1)


class NotingTurn:
    """A turn whose tools' widgets, events and calls of the page are noted."""

    def __init__(self, documents, store=None):
        self.thread = THREAD
        self.request_context = ADA
        self.documents = documents
        self.store = store
        self.widgets, self.events, self.steps, self.calls = [], [], [], []

    async def stream(self, event):
        self.events.append(event)

    async def stream_widget(self, widget, copy_text=None):
        self.widgets += [widget] if hasattr(widget, "model_dump") else [w async for w in widget]

    async def progress(self, text, icon=None):
        self.steps.append(text)

    def call_client_tool(self, name, arguments):
        self.calls.append((name, arguments))

    def generate_id(self, kind, thread=None):
        return f"{kind}_1"


@pytest.fixture
def records():
    return Records()


@pytest.fixture
def documents(records):
    return Documents(records, ADA)


@pytest.fixture
def turn(documents):
    return NotingTurn(documents)


@pytest.fixture
def press(documents):
    """`await press(action, widget, **payload)` presses a button; gives what the handler returns."""

    async def pressed(action, widget, **payload):
        item = WidgetItem(id="w1", thread_id=THREAD.id, created_at=NOW, widget=widget)
        run = ActionRun(THREAD, item, SimpleNamespace(), ADA, documents)
        return await action.handler(run, action.payload(**payload)), item

    return pressed


@pytest.fixture
def redrawn(press):
    """`await redrawn(action, widget, **payload)` is the widget after a sync action."""

    async def drawn(action, widget, **payload):
        redraw, item = await press(action, widget, **payload)
        return await redraw(item)

    return drawn
