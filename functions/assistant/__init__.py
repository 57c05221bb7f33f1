"""The starter assistant. This folder is yours to edit; newer versions update everything else.

`agent.py` has its instructions, `features/` its tools and cards, `titles.py` makes the titles of
conversations, and `demo.py` configures the offline demo for your tools.
"""

from typing import TYPE_CHECKING

from ..toolkit import Assistant, DemoScript, Turn, modules_in
from . import features
from .demo import SCRIPT

if TYPE_CHECKING:
    from agents import Agent


class Starter(Assistant):
    """The assistant in this folder."""

    def agent_for(self, turn: Turn) -> "Agent[Turn]":
        from .agent import build_agent  # noqa: PLC0415 - imports the Agents SDK

        return build_agent(self, turn)

    async def title(self, turn: Turn) -> str:
        from .titles import title_for  # noqa: PLC0415 - imports the Agents SDK

        return await title_for(turn.first_words, turn.model)

    def demo(self) -> DemoScript:
        return SCRIPT


assistant = Starter(modules_in(features))
