"""The model remembers the newest items, within a budget."""

from datetime import datetime

import pytest
from chatkit.types import AssistantMessageContent, AssistantMessageItem, UserMessageItem

from functions.chat.history import within_budget

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


def kept(*newest_first, items=10, characters=10_000):
    budget = within_budget(newest_first, items=items, characters=characters)
    return [item.id for item in budget]


def test_the_newest_items_are_kept_oldest_first():
    assert kept(user("3"), answer("2"), user("1"), items=2) == ["2", "3"]


def test_a_long_item_ends_what_is_remembered():
    assert kept(user("3"), answer("2", "x" * 20_000), user("1")) == ["3"]


def test_the_newest_message_is_kept_whatever_its_size():
    assert kept(answer("3", "x" * 9_000), user("2", "y" * 90_000), user("1")) == ["2", "3"]


@pytest.mark.parametrize("items", [1, 2, 3])
def test_what_follows_the_newest_message_is_kept_beyond_the_number_of_items(items):
    thread = (answer("5"), answer("4"), answer("3"), user("2"), user("1"))
    assert kept(*thread, items=items) == ["2", "3", "4", "5"]
