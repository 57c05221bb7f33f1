"""A data analyst: it computes on a CSV file that the visitor attaches, and cites its rows.

`table.py` reads the file, `tools.py` computes on it, `picture.py` draws, `sources.py` makes sources
of the rows that an answer names, and `converter.py` keeps the file out of the model's input.
"""

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from chatkit.types import AssistantMessageItem, ThreadItemDoneEvent, ThreadStreamEvent

from functions.toolkit import Assistant, DemoRule, DemoScript, Turn

from . import tools
from .sources import with_sources
from .table import SAMPLE, Data, newest_file, remember_file

if TYPE_CHECKING:
    from agents import Agent

    from functions.toolkit.converter import Converter

INSTRUCTIONS = """\
You are a data analyst. Compute with your tools and never in your head. When a tool gives you a mark
such as [rows 2, 5], put it unchanged behind the number that it belongs to. Without a file of the
visitor's, the tools read a sample: say so. What is on the page, do not repeat in words.
"""

OF = r"(?P<value>\w+) by (?P<group>\w+)"


class Analyst(Assistant):
    thread_data = Data

    def agent_for(self, turn: Turn) -> "Agent[Turn]":
        from agents import Agent

        return Agent(
            name="Analyst",
            instructions=INSTRUCTIONS,
            tools=[tool.function_tool for tool in self.tools_for(turn)],
        )

    def converter(self, turn: Turn) -> "Converter":
        from .converter import WithoutTables

        return WithoutTables(turn.files, turn.request_context)

    async def respond(self, turn: Turn) -> AsyncIterator[ThreadStreamEvent]:
        """The agent's answer, with the file and its rows as sources."""
        await remember_file(turn)
        async for event in turn.run_agent():
            if isinstance(event, ThreadItemDoneEvent) and isinstance(
                event.item, AssistantMessageItem
            ):
                file = await newest_file(turn)
                event.item = with_sources(event.item, file.name if file else SAMPLE.name)
            yield event

    def demo(self) -> DemoScript:
        return DemoScript(
            hint="Say *What is in the data?*, *Show me the 5 rows with the most revenue.*, "
            "*Compare revenue by city.* or *Draw revenue by product.*",
            rules=(
                DemoRule("draw_chart", rf"\bdraw\b.*?{OF}", re.Match.groupdict),
                DemoRule("compare", OF, re.Match.groupdict),
                DemoRule(
                    "show_rows",
                    r"\b(?P<limit>\d+) rows\b.*\bmost (?P<by>\w+)",
                    lambda found: {
                        "sort_by": found["by"],
                        "descending": True,
                        "limit": int(found["limit"]),
                    },
                ),
                DemoRule("describe_data", r"\b(?:data|columns|file|table)\b"),
            ),
        )


assistant = Analyst([tools])
