"""The second function stores the events of an action as ChatKit does."""

import json
from datetime import datetime

import pytest
from chatkit.errors import CustomStreamError
from chatkit.types import (
    ErrorEvent,
    HiddenContextItem,
    ProgressUpdateEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    WidgetItem,
)
from pydantic import BaseModel

from functions.errors import ActionError
from functions.toolkit import action
from tests.assistants.sample import assistant
from tests.assistants.sample.features.memo import MEMO


class Nothing(BaseModel):
    pass


@pytest.fixture
def press(monkeypatch, ada):
    """`await press(handler)` runs `handler`. Returns its response, the items and the thread."""

    async def pressed(handler):
        declared = action("test.press", payload=Nothing)(handler)
        monkeypatch.setitem(assistant.actions, declared.name, declared)
        item = await ada.shown(await ada.thread(), note("before"))
        response = await ada.press(item, "test.press", {}, sync=False)
        page = await ada.store.load_thread_items(item.thread_id, None, 20, "asc", ada.context)
        thread = await ada.store.load_thread(item.thread_id, ada.context)
        return response, page.data, thread

    return pressed


def note(text):
    return MEMO.build(text=text, streaming=False)


def card(run, text, item_id="msg_new"):
    return WidgetItem(
        id=item_id,
        thread_id=run.thread.id,
        created_at=datetime.now(),  # noqa: DTZ005 - as the SDK's own items are
        widget=note(text),
    )


def events(response):
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    return [json.loads(line[6:]) for line in response.text.splitlines() if line]


def texts(items):
    return [
        item.widget.model_dump(mode="json")["children"][2]["value"]
        for item in items
        if isinstance(item, WidgetItem)
    ]


async def test_items_are_added_replaced_and_removed(press):
    async def handler(run, payload):
        yield ProgressUpdateEvent(text="on it")
        yield ThreadItemDoneEvent(item=card(run, "one", "msg_1"))
        yield ThreadItemDoneEvent(item=card(run, "two", "msg_2"))
        yield ThreadItemReplacedEvent(item=card(run, "one, better", "msg_1"))
        yield ThreadItemRemovedEvent(item_id="msg_2")

    response, items, _ = await press(handler)
    assert [event["type"] for event in events(response)] == [
        "stream_options",
        "progress_update",
        "thread.item.done",
        "thread.item.done",
        "thread.item.replaced",
        "thread.item.removed",
    ]
    assert texts(items) == ["before", "one, better"]


async def test_hidden_context_is_stored_but_not_sent(press):
    async def handler(run, payload):
        hidden = HiddenContextItem(
            id="msg_h",
            thread_id=run.thread.id,
            created_at=datetime.now(),  # noqa: DTZ005
            content="the secret of the card",
        )
        yield ThreadItemDoneEvent(item=hidden)

    response, items, _ = await press(handler)
    assert "secret" not in response.text
    assert items[-1].content == "the secret of the card"


async def test_changes_of_the_thread_by_a_handler_are_saved_and_sent(press):
    async def handler(run, payload):
        run.thread.title = "Named by a card"
        run.thread.metadata["private"] = "kept here"
        yield ProgressUpdateEvent(text="named")

    response, _, thread = await press(handler)
    last = events(response)[-1]
    assert last["type"] == "thread.updated"
    assert last["thread"]["title"] == "Named by a card"
    assert "kept here" not in response.text
    assert (thread.title, thread.metadata["private"]) == ("Named by a card", "kept here")


async def test_an_action_error_before_the_first_event_is_a_4xx(press):
    async def handler(run, payload):
        if payload:
            raise ActionError(409, "Not now.")
        yield ProgressUpdateEvent(text="never")

    response, items, _ = await press(handler)
    assert (response.status_code, response.json()) == (409, {"message": "Not now."})
    assert texts(items) == ["before"]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ActionError(409, "Too late."), {"code": "custom", "message": "Too late."}),
        (CustomStreamError("Try later.", allow_retry=True), {"message": "Try later."}),
        (RuntimeError("a secret"), {"code": "custom", "allow_retry": True}),
    ],
)
async def test_an_error_after_the_first_event_becomes_an_error_event(press, error, expected):
    async def handler(run, payload):
        yield ThreadItemDoneEvent(item=card(run, "so far"))
        raise error

    response, items, _ = await press(handler)
    last = events(response)[-1]
    assert last["type"] == ErrorEvent.model_fields["type"].default
    assert expected.items() <= last.items()
    assert "a secret" not in response.text
    assert texts(items) == ["before", "so far"]


async def test_a_fault_before_the_first_event_is_an_error_event_and_not_a_5xx(press):
    async def handler(run, payload):
        raise RuntimeError("a secret")
        yield

    response, items, _ = await press(handler)
    (error,) = events(response)
    run = response.headers["x-chatkit-run-id"]
    assert error["message"] == f"Something went wrong here. Please try again. (run {run})"
    assert texts(items) == ["before"]
