"""The smallest assistant that is of use: an agent with one tool, and a demo for it.

`make new-assistant NAME=…` begins with a copy of this folder.
"""

import secrets
from typing import TYPE_CHECKING

from functions.toolkit import Assistant, DemoRule, DemoScript, Turn, tool

if TYPE_CHECKING:
    from agents import Agent


@tool
async def roll_dice(turn: Turn, sides: int) -> int:
    """Rolls a die with this many sides."""
    return secrets.randbelow(sides) + 1


class Minimal(Assistant):
    def agent_for(self, turn: Turn) -> "Agent[Turn]":
        from agents import Agent

        tools = [tool.function_tool for tool in self.tools_for(turn)]
        return Agent(name="Minimal", instructions="You roll dice.", tools=tools)

    def demo(self) -> DemoScript:
        """What the offline demo does, without a key."""
        roll = DemoRule("roll_dice", r"\b(?:roll|die|dice)\b", lambda _: {"sides": 20})
        return DemoScript(hint="Say *roll a die*.", rules=(roll,))


assistant = Minimal([__name__])
