"""Runs the starter's features alone, with documents in memory and a turn that records its calls."""

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
    """Records with versions. Other tasks may run between a read and a write."""

    def __init__(self):
        self.stored = {}

    async def get(self, kind, context):
        await asyncio.sleep(0)
        return self.stored.get(kind, (None, 0))

    async def put(self, kind, value, context, *, version):
        await asyncio.sleep(0)
        if self.stored.get(kind, (None, 0))[1] != version:
            raise Conflict(kind)
        self.stored[kind] = (value, version + 1)


class RecordingTurn:
    """A turn that records widgets, events, progress and calls of client tools."""

    def __init__(self, documents, store=None):
        self.thread = THREAD
        self.request_context = ADA
        self.documents = documents
        self.store = store
        self.tool_choice = None
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
    return RecordingTurn(documents)


@pytest.fixture
def press(documents):
    """`await press(action, widget, **payload)` runs an action. Returns its result and the item."""

    async def pressed(action, widget, **payload):
        item = WidgetItem(id="w1", thread_id=THREAD.id, created_at=NOW, widget=widget)
        run = ActionRun(THREAD, item, SimpleNamespace(), ADA, documents)
        return await action.handler(run, action.payload(**payload)), item

    return pressed


@pytest.fixture
def redrawn(press):
    """`await redrawn(action, widget, **payload)` runs a sync action and returns the new widget."""

    async def drawn(action, widget, **payload):
        redraw, item = await press(action, widget, **payload)
        return await redraw(item)

    return drawn
