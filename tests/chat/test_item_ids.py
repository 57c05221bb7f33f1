"""Each item of a run gets one id from the store, the same in every event."""

import itertools
from datetime import datetime

from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ClientToolCallItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
)

from functions.chat.item_ids import RunIds

FAKE = "__fake_id__"
BEGAN = datetime(2026, 1, 1, 12, 0, 0)
ENDED = datetime(2026, 1, 1, 12, 0, 9)


def message(item_id, text="", at=BEGAN):
    content = [AssistantMessageContent(text=text)] if text else []
    return AssistantMessageItem(id=item_id, thread_id="thr", created_at=at, content=content)


def delta(item_id):
    update = AssistantMessageContentPartTextDelta(content_index=0, delta="x")
    return ThreadItemUpdatedEvent(item_id=item_id, update=update)


async def rewritten(*events, ours=()):
    numbers = itertools.count(1)

    async def source():
        for event in events:
            yield event

    ids = RunIds(lambda kind: f"{kind}_{next(numbers)}", set(ours))
    return [event async for event in ids.rewrite(source())]


def id_of(event):
    return event.item.id if hasattr(event, "item") else event.item_id


async def test_two_messages_with_the_same_model_id_become_two_items():
    one_message = [
        ThreadItemAddedEvent(item=message(FAKE)),
        delta(FAKE),
        ThreadItemDoneEvent(item=message(FAKE, "done")),
    ]
    events = await rewritten(*one_message, *one_message)
    assert [id_of(event) for event in events] == ["message_1"] * 3 + ["message_2"] * 3


async def test_a_finished_item_keeps_the_time_at_which_it_was_added():
    events = await rewritten(
        ThreadItemAddedEvent(item=message(FAKE, at=BEGAN)),
        ThreadItemDoneEvent(item=message(FAKE, "done", at=ENDED)),
    )
    assert events[1].item.created_at == BEGAN


async def test_an_item_that_was_not_added_gets_an_id_when_it_is_done():
    call = ClientToolCallItem(
        id=FAKE, thread_id="thr", created_at=BEGAN, call_id="c", name="n", arguments={}
    )
    events = await rewritten(
        ThreadItemDoneEvent(item=message(FAKE, "a")),
        ThreadItemDoneEvent(item=message(FAKE, "b")),
        ThreadItemDoneEvent(item=call),
    )
    assert [id_of(event) for event in events] == ["message_1", "message_2", "tool_call_3"]


async def test_ids_from_the_store_are_not_replaced():
    events = await rewritten(
        ThreadItemAddedEvent(item=message("msg_ours")),
        delta("msg_ours"),
        ThreadItemDoneEvent(item=message("msg_ours", "done")),
        ours={"msg_ours"},
    )
    assert {id_of(event) for event in events} == {"msg_ours"}


async def test_removing_a_model_id_removes_every_item_that_had_it():
    events = await rewritten(
        ThreadItemDoneEvent(item=message(FAKE, "a")),
        ThreadItemDoneEvent(item=message(FAKE, "b")),
        ThreadItemRemovedEvent(item_id=FAKE),
    )
    assert [id_of(event) for event in events[2:]] == ["message_1", "message_2"]


async def test_a_replaced_item_is_the_one_that_the_page_knows():
    events = await rewritten(
        ThreadItemAddedEvent(item=message(FAKE)),
        ThreadItemReplacedEvent(item=message(FAKE, "better")),
    )
    assert [id_of(event) for event in events] == ["message_1"] * 2
