"""The support desk of a small shop: it finds orders, takes returns, and pays back.

`case.py` is what a conversation is about, `returns.py` and `refunds.py` what the desk can do,
`team.py` the agents, and `orders.py` stands for the shop's own system.
"""

import re
from typing import TYPE_CHECKING

from functions.toolkit import Assistant, DemoScript, Turn, short_title

from . import case, refunds, returns
from .case import Case, known_order
from .demo import SCRIPT
from .routes import router

if TYPE_CHECKING:
    from agents import Agent, TResponseInputItem


class Support(Assistant):
    thread_data = Case
    routes = router

    def agent_for(self, turn: Turn) -> "Agent[Turn]":
        from .team import desk

        return desk(self, turn)

    async def input_items(self, turn: Turn) -> "list[TResponseInputItem]":
        """The state of the case, which both agents know without asking."""
        known: Case = await turn.thread_data.read()
        words = known.in_words(await known_order(known))
        return [{"role": "developer", "content": words}]

    async def title(self, turn: Turn) -> str:
        number = re.search(r"\b[A-Z]-\d{4}\b", turn.first_words.upper())
        return f"Order {number[0]}" if number else short_title(turn.first_words)

    def demo(self) -> DemoScript:
        return SCRIPT


assistant = Support([case, returns, refunds])
