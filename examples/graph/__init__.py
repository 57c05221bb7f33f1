"""A graph of LangGraph as an assistant: the desk of a bicycle hire, which looks things up.

`graph.py` is the graph, `events.py` turns what it streams into ChatKit's events, and `handbook.py`
stands for your own documents.
"""

import re
from collections.abc import AsyncIterator
from contextlib import aclosing

from chatkit.types import ThreadStreamEvent

from functions.toolkit import Assistant, DemoRule, DemoScript, Turn

from .handbook import TEXT


class Desk(Assistant):
    async def start_up(self) -> None:
        """Import LangGraph now, which takes a second, and not while the first visitor waits."""
        from . import graph  # noqa: F401

    async def respond(self, turn: Turn) -> AsyncIterator[ThreadStreamEvent]:
        from .events import chatkit_events
        from .graph import GRAPH

        asked = {"items": await turn.model_input()}
        # Stop cancels this generator, and with it the nodes that run.
        async with aclosing(
            GRAPH.astream(asked, context=turn, stream_mode=["tasks", "custom"])
        ) as parts:
            async for event in chatkit_events(turn, parts):
                yield event

    def demo(self) -> DemoScript:
        """What the offline demo does, without a key: it looks up each part of a question."""
        asks = r"\b(open|cost|helmets?|children|deposit|rain|rent)\b"
        rule = DemoRule("search_handbook", asks, lambda found: {"searches": _parts(found.string)})
        return DemoScript(hint="Ask when we are open.", story=TEXT, rules=(rule,))


def _parts(question: str) -> list[str]:
    return [part.strip() for part in re.split(r"[,?]|\band\b", question) if part.strip()]


assistant = Desk()
