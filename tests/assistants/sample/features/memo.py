"""A card that is written word by word, and an effect of the page at its end."""

import asyncio
import re
from pathlib import Path

from chatkit.types import ClientEffectEvent

from functions.toolkit import Turn, Widget, tool

MEMO = Widget(Path(__file__).parents[1] / "widgets" / "memo.widget")
PACE = 0.02


async def growing(text):
    written = ""
    for word in ["", *re.findall(r"\S+\s*", text)]:
        written += word
        yield MEMO.build(text=written, streaming=True)
        await asyncio.sleep(PACE)
    yield MEMO.build(text=text, streaming=False)


@tool
async def write_memo(turn: Turn, text: str) -> str:
    """Writes a memo onto a card.

    Args:
        text: The memo.
    """
    await turn.stream_widget(growing(text))
    await turn.stream(ClientEffectEvent(name="note_saved", data={"title": "Memo"}))
    return "The memo is on the page."
