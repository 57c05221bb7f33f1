"""An assistant whose tools return much, take long, and are called many times at once."""

import asyncio

from functions.toolkit import Assistant, Turn, tool

RUNNING = []
PEAK = []
"""How many calls ran at once, whenever one began."""


@tool
async def count(turn: Turn) -> str:
    """Counts."""
    RUNNING.append(turn)
    PEAK.append(len(RUNNING))
    for _ in range(20):
        await asyncio.sleep(0)
    RUNNING.pop()
    return "counted"


@tool(timeout=0.05)
async def wait_long(turn: Turn) -> str:
    """Never ends."""
    await asyncio.Event().wait()


class Busy(Assistant):
    max_tool_output = 500
    reset_tool_choice = True

    def menu(self, context):
        return ["count"]

    def choices(self, context):
        return ["count"]

    def agent_for(self, turn):
        from agents import Agent, ModelSettings, function_tool

        @function_tool
        def read_all() -> str:
            """Reads all."""
            return "It begins. " + "And goes on. " * 1_000 + "It ends."

        return Agent(
            name="Busy",
            tools=[count.function_tool, wait_long.function_tool, read_all],
            model_settings=ModelSettings(tool_choice=turn.tool_choice),
            reset_tool_choice=self.reset_tool_choice,
        )


assistant = Busy()
