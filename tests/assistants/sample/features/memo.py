"""A card that is written word by word, and one that switches a lamp."""

import re
from datetime import datetime
from pathlib import Path
from typing import Literal

from chatkit.types import (
    ClientEffectEvent,
    StructuredInputFreeform,
    StructuredInputItem,
    ThreadItemDoneEvent,
)
from pydantic import BaseModel

from functions.toolkit import Document, Turn, Widget, action, tool

WIDGETS = Path(__file__).parents[1] / "widgets"
MEMO = Widget(WIDGETS / "memo.widget")
LAMP_CARD = Widget(WIDGETS / "lamp.widget")

LAMP = Document[bool]("lamp", bool, empty=lambda: False)


async def growing(text):
    written = ""
    for word in ["", *re.findall(r"\S+\s*", text)]:
        written += word
        yield MEMO.build(text=written, streaming=True)
    yield MEMO.build(text=text, streaming=False)


@tool
async def write_memo(turn: Turn, text: str) -> str:
    """Writes a memo onto a card.

    Args:
        text: The memo.
    """
    await turn.stream_widget(growing(text))
    await turn.stream(ClientEffectEvent(name="memo_written", data={}))
    return "The memo is on the page."


class Switch(BaseModel):
    on: bool


@action("lamp.switch", payload=Switch, sync=True)
async def switch(run, payload):
    run.check_offered("lamp.switch")
    await run.documents.change(LAMP, lambda _: payload.on)

    async def redraw(_):
        return LAMP_CARD.build(on=await run.documents.read(LAMP))

    return redraw


@tool(ends_turn=True)
async def switch_theme(turn: Turn, theme: Literal["light", "dark", "system"]) -> str:
    """Switches the look of the page, which the page does.

    Args:
        theme: The look.
    """
    turn.call_client_tool("switch_theme", {"theme": theme})
    return "The page is switching."


@tool(ends_turn=True)
async def ask_visitor(turn: Turn) -> str:
    """Asks the visitor a question in a form of ChatKit's own."""
    item = StructuredInputItem(
        id=turn.generate_id("message"),
        thread_id=turn.thread.id,
        created_at=datetime.now(),  # noqa: DTZ005
        inputs=[StructuredInputFreeform(id="goal", question="What would you like to do?")],
    )
    await turn.stream(ThreadItemDoneEvent(item=item))
    return "The visitor has been asked."
