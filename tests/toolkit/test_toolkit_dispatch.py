"""Declaring actions, and running each kind of them against a store in memory."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from chatkit.store import NotFoundError
from chatkit.types import (
    AssistantMessageItem,
    HiddenContextItem,
    ProgressUpdateEvent,
    ThreadCustomActionParams,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    WidgetComponentUpdated,
    WidgetItem,
    WidgetRootUpdated,
    WidgetStreamingTextValueDelta,
)
from chatkit.widgets import DynamicWidgetComponent
from pydantic import BaseModel

from functions.context import RequestContext
from functions.errors import ActionError
from functions.store import Conflict
from functions.toolkit import Assistant, Documents, Handover, action, dispatch
from tests.assistants.sample import Sample
from tests.assistants.sample.features.memo import MEMO

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONTEXT = RequestContext(user_id="ada")


class Nothing(BaseModel):
    pass


class MemoryStore:
    """One thread and its items, with versions, as `DynamoDBStore` has them."""

    def __init__(self, *items):
        self.thread = ThreadMetadata(id="thr_1", created_at=NOW)
        self.items = {item.id: (item, 1) for item in items}
        self.writes = 0
        self.before_write = None

    def generate_item_id(self, kind, thread, context):
        return f"{kind}_{len(self.items)}"

    async def load_thread(self, thread_id, context):
        if (thread_id, context.user_id) != (self.thread.id, "ada"):
            raise NotFoundError(thread_id)
        return self.thread

    async def load_item_versioned(self, thread_id, item_id, context):
        try:
            return self.items[item_id]
        except KeyError:
            raise NotFoundError(item_id) from None

    async def save_item_if(self, thread_id, item, context, *, expected):
        if self.before_write:
            self.before_write()
        if self.items[item.id][1] != expected:
            raise Conflict(item.id)
        self.writes += 1
        self.items[item.id] = (item, expected + 1)
        return expected + 1

    def touch(self, item_id):
        """Change the item's version, as another request would."""
        item, version = self.items[item_id]
        self.items[item_id] = (item, version + 1)

    def text(self, item_id="w1"):
        return self.items[item_id][0].widget.model_dump(mode="json")["children"][2]["value"]


def note(text=""):
    return MEMO.build(text=text, streaming=False)


def item(item_id="w1"):
    return WidgetItem(id=item_id, thread_id="thr_1", created_at=NOW, widget=note())


@pytest.fixture
def declared():
    """The actions of one test, by name."""
    return {}


@pytest.fixture
def declare(declared):
    """`declare(handler, **kind)` declares a handler as `test.press`."""

    def register(handler, **kind):
        made = action("test.press", payload=Nothing, **kind)(handler)
        declared[made.name] = made
        return made

    return register


@pytest.fixture
def prepare(declared):
    async def prepared(store, item_id="w1"):
        params = ThreadCustomActionParams(
            thread_id="thr_1", item_id=item_id, action={"type": "test.press", "payload": {}}
        )
        return await dispatch.prepare(params, declared, store, Documents({}, CONTEXT), CONTEXT)

    return prepared


def test_two_features_cannot_declare_the_same_action(declare):
    features = [
        SimpleNamespace(press=declare(lambda run, payload: None, sync=True)) for _ in range(2)
    ]
    with pytest.raises(ValueError, match=r"test\.press is declared twice"):
        Sample(features)


def test_a_sync_action_cannot_stream_an_answer(declare):
    with pytest.raises(ValueError, match="sync"):
        declare(lambda run, payload: None, sync=True, streams_answer=True)


async def test_a_widget_that_was_changed_meanwhile_is_drawn_again_from_current_data(
    declare, prepare
):
    facts = ["one"]

    async def press(run, payload):
        async def redraw(_):
            return note(" ".join(facts))

        return redraw

    declare(press, sync=True)
    store = MemoryStore(item())

    def another_request():
        if len(facts) == 1:
            facts.append("two")
            store.touch("w1")

    store.before_write = another_request
    answer = await (await prepare(store)).run_sync()
    assert store.text() == "one two"
    assert answer.updated_item == store.items["w1"][0]
    assert store.writes == 1


async def test_an_action_fails_when_every_redraw_conflicts(declare, prepare, monkeypatch):
    async def at_once(_):
        return None

    monkeypatch.setattr(asyncio, "sleep", at_once)

    async def press(run, payload):
        async def redraw(_):
            return note("x")

        return redraw

    declare(press, sync=True)
    store = MemoryStore(item())
    store.before_write = lambda: store.touch("w1")
    with pytest.raises(ActionError) as raised:
        await (await prepare(store)).run_sync()
    assert raised.value.status == 409
    assert store.writes == 0


async def test_updates_of_a_widget_by_events_are_stored(declare, prepare):
    async def press(run, payload):
        yield ProgressUpdateEvent(text="thinking")
        yield ThreadItemUpdatedEvent(item_id="w1", update=WidgetRootUpdated(widget=note("Dear")))
        for word in (" Ada", ", hello"):
            yield ThreadItemUpdatedEvent(
                item_id="w1",
                update=WidgetStreamingTextValueDelta(
                    component_id="memo-text", delta=word, done=False
                ),
            )

    declare(press)
    store = MemoryStore(item())
    events = [event async for event in (await prepare(store)).run()]
    assert len(events) == 4
    assert store.text() == "Dear Ada, hello"
    assert store.writes == 2, "one for the root, one for all of the words"


async def test_the_replacement_of_a_component_is_stored(declare, prepare):
    async def press(run, payload):
        yield ThreadItemUpdatedEvent(
            item_id="w2",
            update=WidgetComponentUpdated(
                component_id="memo-text",
                component=DynamicWidgetComponent(type="Text", id="memo-text", value="short"),
            ),
        )

    declare(press)
    store = MemoryStore(item(), item("w2"))
    assert [event async for event in (await prepare(store)).run()]
    assert store.text("w2") == "short"
    assert store.text("w1") == ""


async def test_updates_before_a_handler_fails_are_stored(declare, prepare):
    async def press(run, payload):
        yield ThreadItemUpdatedEvent(
            item_id="w1",
            update=WidgetStreamingTextValueDelta(component_id="memo-text", delta="so", done=False),
        )
        raise RuntimeError

    declare(press)
    store = MemoryStore(item())
    with pytest.raises(RuntimeError):
        _ = [event async for event in (await prepare(store)).run()]
    assert store.text() == "so"


async def test_an_item_that_the_handler_adds_is_not_stored_here_before_it_is_done(declare, prepare):
    added = item("new")

    async def press(run, payload):
        yield ThreadItemAddedEvent(item=added)
        yield ThreadItemUpdatedEvent(item_id="new", update=WidgetRootUpdated(widget=note("x")))
        yield ThreadItemDoneEvent(item=added)
        yield ThreadItemUpdatedEvent(item_id="new", update=WidgetRootUpdated(widget=note("y")))

    declare(press)
    store = MemoryStore(item())
    events = []
    async for event in (await prepare(store)).run():
        events.append(event.type)
        if isinstance(event, ThreadItemDoneEvent):
            assert store.writes == 0
            store.items["new"] = (added, 1)
    assert len(events) == 4
    assert store.text("new") == "y"


async def test_an_update_of_a_widget_that_was_changed_meanwhile_is_rejected(declare, prepare):
    async def press(run, payload):
        store.touch("w1")
        yield ThreadItemUpdatedEvent(item_id="w1", update=WidgetRootUpdated(widget=note("mine")))

    declare(press)
    store = MemoryStore(item())
    with pytest.raises(ActionError) as raised:
        _ = [event async for event in (await prepare(store)).run()]
    assert raised.value.status == 409
    assert store.text() == ""


async def test_the_assistant_continues_with_the_context_of_the_handover(declare, prepare):
    async def press(run, payload):
        async def redraw(_):
            return note("chosen")

        return Handover("The person chose Rome.", redraw)

    async def respond(thread, message, context):
        assert (thread.id, message, context) == ("thr_1", None, CONTEXT)
        yield ThreadItemDoneEvent(
            item=AssistantMessageItem(id="m", thread_id="thr_1", created_at=NOW, content=[])
        )

    declare(press, streams_answer=True)
    store = MemoryStore(item())
    drawn, hidden, answer = [e async for e in (await prepare(store)).run(respond)]
    assert drawn.update.type == "widget.root.updated"
    assert isinstance(hidden.item, HiddenContextItem)
    assert hidden.item.content == "The person chose Rome."
    assert answer.item.id == "m"
    assert store.text() == "chosen"


async def test_a_handler_that_raises_an_action_error_changes_nothing(declare, prepare):
    async def press(run, payload):
        raise ActionError(409, "Too late.")

    declare(press, sync=True)
    store = MemoryStore(item())
    prepared = await prepare(store)
    with pytest.raises(ActionError, match="Too late"):
        await prepared.run_sync()
    with pytest.raises(ActionError, match="Too late"):
        _ = [event async for event in prepared.run()]
    assert store.writes == 0


async def test_the_page_may_send_an_action_without_a_widget(declare, prepare):
    async def press(run, payload):
        assert run.sender is None
        yield ProgressUpdateEvent(text="ok")

    declare(press)
    prepared = await prepare(MemoryStore(), item_id=None)
    assert [event.text async for event in prepared.run()] == ["ok"]


def test_an_assistant_without_an_agent_is_refused_when_it_is_made():
    class Empty(Assistant):
        pass

    with pytest.raises(TypeError, match="agent_for"):
        Empty()
