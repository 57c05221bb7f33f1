"""A desk with several agents: one hands over to another, which goes on in the next message, and a
third one works as a tool.
"""

import asyncio
import sys
from datetime import datetime

from chatkit.types import EndOfTurnItem, ThreadItemDoneEvent
from pydantic import BaseModel

from functions.toolkit import Assistant, short_title, tool

TRIAGE, BILLING, RESEARCH = "Triage", "Billing", "Research"


class Case(BaseModel):
    agent: str = TRIAGE


class Notes:
    """What a test wants to know of the assistant."""

    titles: int = 0
    stopped: bool = False


notes = Notes()


@tool
async def dig(turn, deep: bool) -> str:
    """Looks into the archive. `deep` takes until somebody stops it."""
    await turn.progress("Digging", icon="search")
    if deep:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            notes.stopped = True
            raise
    return "Order 7 was paid twice."


@tool(ends_turn=True)
async def close_case(turn) -> str:
    """Closes the case."""
    end = EndOfTurnItem(
        id=turn.generate_id("message"),
        thread_id=turn.thread.id,
        created_at=datetime.now(),  # noqa: DTZ005 - naive, as the SDK's items are
    )
    await turn.stream(ThreadItemDoneEvent(item=end))
    return "It is closed."


@tool(ends_turn=True)
async def open_invoice(turn) -> str:
    """Opens the invoice in the page."""
    turn.call_client_tool("open_invoice", {"order": 7})
    return "The page opens it."


@tool(needs_approval=True)
async def refund(turn) -> str:
    """Pays the bill back."""
    return "It is paid back."


class Desk(Assistant):
    thread_data = Case

    async def agent_for(self, turn):
        case = await turn.thread_data.read()
        return self._agents()[case.agent]

    def _agents(self):
        from agents import Agent

        research = Agent(name=RESEARCH, instructions="You research.", tools=[dig.function_tool])
        billing = Agent(
            name=BILLING,
            instructions="You do the bills.",
            tools=[each.function_tool for each in (close_case, open_invoice, refund)],
            tool_use_behavior=self.tool_use_behavior(),
        )
        triage = Agent(
            name=TRIAGE,
            instructions="You find out who can help.",
            handoffs=[billing],
            tools=[research.as_tool("research", "Finds something out.")],
        )
        billing.handoffs = [triage]
        return {agent.name: agent for agent in (triage, billing)}

    def hooks(self, turn):
        from agents import RunHooks

        class Remember(RunHooks):
            async def on_handoff(self, context, from_agent, to_agent):
                await turn.thread_data.change(lambda _: Case(agent=to_agent.name))

        return Remember()

    async def title(self, turn):
        notes.titles += 1
        return short_title(turn.first_words)


assistant = Desk([sys.modules[__name__]])
