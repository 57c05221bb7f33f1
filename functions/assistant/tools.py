"""The assistant's tools. Yours to edit: write a function, add it to `TOOLS`.

A tool's name, arguments and docstring are what the model reads.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from agents import FunctionTool
from chatkit.agents import ClientToolCall
from chatkit.types import (
    AssistantMessageItem,
    ProgressUpdateEvent,
    StructuredInputFreeform,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadMetadata,
    UserMessageItem,
)

from ..toolkit.tools import Turn, tool
from .arithmetic import evaluate
from .places import zone_of

THREADS_SEARCHED = 25
ITEMS_SEARCHED = 50


@dataclass
class Clock:
    place: str
    time_zone: str
    now: datetime


@tool
async def world_clock(turn: Turn, place: str) -> Clock | str:  # noqa: ARG001 - a tool's signature
    """The time and date right now in a place.

    Args:
        place: A city, or a time zone such as Europe/Lisbon.
    """
    zone = zone_of(place)
    if zone is None:
        return f"I know no time zone for {place}. Name a larger city near it."
    return Clock(place, zone.key, datetime.now(zone).replace(microsecond=0))


@tool
async def calculate(turn: Turn, expression: str) -> Decimal | str:  # noqa: ARG001 - a tool's signature
    """The exact value of an arithmetic expression, in decimal.

    Args:
        expression: Numbers with + - * / // % ** and parentheses, such as 12.5 * (3 + 4).
    """
    try:
        return evaluate(expression)
    except ValueError as error:
        return str(error)


@dataclass
class Match:
    conversation: str
    said_by: Literal["visitor", "assistant"]
    said_at: datetime
    text: str


@tool
async def search_conversations(turn: Turn, query: str) -> list[Match] | str:
    """Searches the visitor's own earlier conversations for words.

    Args:
        query: The words to look for. All of them must occur in one message.
    """
    words = query.lower().split()
    store, context = turn.context.store, turn.context.request_context
    threads = (await store.load_threads(THREADS_SEARCHED, None, "desc", context)).data
    threads = [thread for thread in threads if thread.id != turn.context.thread.id]
    matches: list[Match] = []
    for number, thread in enumerate(threads, start=1):
        name = thread.title or "Untitled"
        await turn.context.stream(
            ProgressUpdateEvent(icon="search", text=f"{number} of {len(threads)}: {name}")
        )
        page = await store.load_thread_items(thread.id, None, ITEMS_SEARCHED, "desc", context)
        matches += [match for item in page.data if (match := _match(thread, item, words))]
    return matches[:10] or f"None of your earlier conversations mentions {query}."


def _match(thread: ThreadMetadata, item: ThreadItem, words: list[str]) -> Match | None:
    if not isinstance(item, UserMessageItem | AssistantMessageItem):
        return None
    text = " ".join(part.text for part in item.content)
    if not all(word in text.lower() for word in words):
        return None
    who: Literal["visitor", "assistant"] = (
        "visitor" if isinstance(item, UserMessageItem) else "assistant"
    )
    return Match(thread.title or "Untitled", who, item.created_at, text[:300])


@tool
async def switch_theme(turn: Turn, theme: Literal["light", "dark", "system"]) -> str:
    """Switches the page between its light and its dark look. The page itself does it.

    Args:
        theme: The look that the visitor wants.
    """
    turn.context.client_tool_call = ClientToolCall(name="switch_theme", arguments={"theme": theme})
    return "The page is switching."


@tool
async def ask_visitor(turn: Turn, topic: str) -> str:
    """Asks the visitor for what you need to know before you can go on, in a small form.

    Args:
        topic: What it is about, in a few words.
    """
    context = turn.context
    questions = StructuredInputItem(
        id=context.generate_id("message"),
        thread_id=context.thread.id,
        created_at=datetime.now(),  # noqa: DTZ005 - naive, as the SDK's own items are
        inputs=[
            StructuredInputFreeform(id="goal", question=f"What would you like to do: {topic}?"),
            StructuredInputMultipleChoice(
                id="depth",
                question="How much detail do you want?",
                options=[
                    StructuredInputMultipleChoiceOption(value=value)
                    for value in ("Just the answer", "A short explanation", "Everything")
                ],
            ),
        ],
    )
    await context.stream(ThreadItemDoneEvent(item=questions))
    return "The visitor has been asked. Wait for the answers."


TOOLS: list[FunctionTool] = [
    world_clock,
    calculate,
    search_conversations,
    switch_theme,
    ask_visitor,
]

STOP_AFTER = ["switch_theme", "ask_visitor"]
