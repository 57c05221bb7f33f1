"""The model gets the newest items, limited in number."""

from datetime import datetime

import pytest
from chatkit.types import AssistantMessageContent, AssistantMessageItem, UserMessageItem

from functions.chat.history import trim_history

AT = datetime(2026, 1, 1)


def user(name, text="hi"):
    return UserMessageItem(
        id=name,
        thread_id="t",
        created_at=AT,
        content=[{"type": "input_text", "text": text}],
        inference_options={},
    )


def answer(name, text="hello"):
    content = [AssistantMessageContent(text=text)]
    return AssistantMessageItem(id=name, thread_id="t", created_at=AT, content=content)


def history(*newest_first, items=10):
    trimmed = trim_history(newest_first, items)
    return [item.id for item in trimmed]


def test_the_history_has_the_newest_items_oldest_first():
    assert history(user("3"), answer("2"), user("1"), items=2) == ["2", "3"]


@pytest.mark.parametrize("items", [1, 2, 3])
def test_the_history_always_has_every_item_after_the_newest_message(items):
    thread = (answer("5"), answer("4"), answer("3"), user("2"), user("1"))
    assert history(*thread, items=items) == ["2", "3", "4", "5"]
