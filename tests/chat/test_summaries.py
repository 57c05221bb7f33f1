"""What is summarised of a conversation, and when."""

from datetime import datetime, timedelta

import pytest
from chatkit.agents import ThreadItemConverter
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    InferenceOptions,
    Page,
    UserMessageItem,
    UserMessageTextContent,
)

from functions.chat.history import WITHHELD
from functions.chat.own_items import own_item
from functions.chat.summaries import Older, Recent
from functions.chat.tool_memory import content_of

NOON = datetime(2026, 1, 1, 12)
WORDS = "word " * 80
"""100 tokens."""


def asked(name, text=WORDS):
    return UserMessageItem(
        id=name,
        thread_id="t",
        created_at=NOON,
        content=[UserMessageTextContent(text=text)],
        inference_options=InferenceOptions(),
    )


def answered(name, text="Yes."):
    return AssistantMessageItem(
        id=name, thread_id="t", created_at=NOON, content=[AssistantMessageContent(text=text)]
    )


def talk(turns, start=1):
    """Messages `u1`, `a1`, `u2`, … and a last one that has no answer yet."""
    numbers = range(start, start + turns)
    items = [item for n in numbers for item in (asked(f"u{n}"), answered(f"a{n}"))]
    return [*items, asked(f"u{start + turns}")]


def summary(name, through, text="They spoke of fish."):
    content = {"summary": text, "through": through}
    return own_item(name, "t", NOON - timedelta(microseconds=1), content)


async def told(items):
    return await ThreadItemConverter().to_agent_input(items)


@pytest.mark.parametrize(
    ("turns", "most_items", "most_tokens", "through"),
    [
        (10, 100, 2_000, None),
        (16, 100, 1_850, "a8"),
        (10, 25, 9_000, None),
        (11, 24, 9_000, "a6"),
        (0, 1, 10, None),
        (1, 100, 100, "a1"),
    ],
    ids=[
        "there is room",
        "the tokens are nearly used up",
        "there is room for items",
        "the items are nearly used up",
        "the only message is too long",
        "the newest message is too long",
    ],
)
async def test_all_but_the_newest_half_is_summarised_when_there_is_little_room(
    turns, most_items, most_tokens, through
):
    recent = Recent.of(talk(turns))
    older = recent.older(await told(recent.items), most_items, most_tokens)
    assert (older[-1].id if older else None) == through


def test_what_a_summary_covers_is_left_out_and_its_newest_one_counts():
    history = [*talk(3)[:-1], summary("s1", "a1", "Old."), *talk(1, start=4)[:-1]]
    history += [summary("s2", "a2"), *talk(0, start=5)]
    recent = Recent.of(history)
    assert [item.id for item in recent.items] == ["u3", "a3", "u4", "a4", "u5"]
    assert recent.summary == "They spoke of fish."
    assert '<data from="a summary"' in str(recent.told())


def test_a_summary_covers_what_is_no_longer_among_the_newest_items():
    recent = Recent.of([*talk(1, start=3)[:-1], summary("s", "a2"), *talk(0, start=4)])
    assert [item.id for item in recent.items] == ["u3", "a3", "u4"]


async def test_a_summary_is_made_of_the_earlier_one_and_of_what_follows_it():
    returned = {"type": "function_call_output", "call_id": "c", "output": "4711"}
    call = {"type": "function_call", "call_id": "c", "name": "find", "arguments": "{}"}
    found = own_item("m", "t", NOON, content_of([call, returned], None))
    items = [asked("u1", "My order?"), found, answered("a1", "I have it.")]
    older = Older(items, "They spoke of fish.", asked("u2", "And now?"), "u1")
    assert older.text(await older.told(ThreadItemConverter()), 1_000) == (
        "Summary of what came before:\nThey spoke of fish.\n\n"
        "User: My order?\n\n"
        "The assistant called find with {}\n\n"
        "It returned: 4711\n\n"
        "Assistant: I have it."
    )


async def test_what_is_summarised_is_cut_to_the_budget():
    older = Older(talk(9), None, asked("u11"), "u1")
    assert len(older.text(await older.told(ThreadItemConverter()), 500)) < 3_000


def test_a_summary_is_cut_to_its_share_of_the_budget():
    content = Older([asked("u1")], None, asked("u2"), "u1").content("long " * 4_000, 2_000)
    assert len(content["summary"]) < 1_100
    assert content["through"] == "u1"


class Pages:
    """A store with the pages of older items, newest first."""

    def __init__(self, *pages):
        self.pages = [*pages]

    async def load_thread_items(self, thread_id, after, limit, order, context):
        data = self.pages.pop(0)[::-1]
        more = bool(self.pages)
        return Page(data=data, has_more=more, after=data[-1].id if more else None)


async def test_an_earlier_summary_that_was_not_read_is_looked_for():
    store = Pages(talk(2, start=6)[:-1], [asked("u5"), summary("s", "a4"), answered("a5")])
    store.pages.append(talk(4)[:-1])
    older = Older(talk(2, start=8)[:-1], None, asked("u10"), "u8")
    whole = await older.with_beginning(store, 4, None)
    assert whole.earlier == "They spoke of fish."
    assert [item.id for item in whole.items][:3] == ["u5", "a5", "u6"]
    assert len(store.pages) == 1


async def test_what_a_guardrail_has_withheld_is_not_summarised():
    mark = own_item("w", "t", NOON, {WITHHELD: "u2"})
    store = Pages([mark, *talk(1, start=3)[:-1]], [asked("u1"), answered("a1"), asked("u2")])
    whole = await Older([asked("u4")], None, asked("u5"), "u4").with_beginning(store, 4, None)
    assert [item.id for item in whole.items] == ["u1", "a1", "u3", "a3", "u4"]


async def test_a_thread_without_a_summary_is_read_back_to_its_beginning():
    store = Pages(talk(2, start=3)[:-1], talk(2)[:-1])
    older = Older(talk(1, start=5)[:-1], None, asked("u6"), "u5")
    whole = await older.with_beginning(store, 4, None)
    assert [item.id for item in whole.items if item.id.startswith("u")] == [
        "u1", "u2", "u3", "u4", "u5"
    ]  # fmt: skip
