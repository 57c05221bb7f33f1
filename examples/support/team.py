"""The two agents: the desk, which visitors talk to first, and billing, which pays back."""

from dataclasses import replace
from typing import Any

from agents import Agent, RunContextWrapper, Tool

from functions.toolkit import Assistant, Turn

from .settings import SETTINGS

DESK = f"""\
You are the support desk of {SETTINGS.shop}, a small shop for coffee things. Be friendly and brief.
Before anything else, find the order: ask for its number and the e-mail address. For a return, show
the form. Hand over to billing for everything about money. Cards are on the page: do not repeat what
is on them.
"""

BILLING = f"""\
You are the billing of {SETTINGS.shop}. You pay back what was returned: one item at a time, the
price that was paid. When nothing is registered as returned, show the form for a return.
"""


def desk(assistant: Assistant, turn: Turn) -> Agent[Turn]:
    offered = {tool.name: tool.function_tool for tool in assistant.tools_for(turn)}
    # It is missing where the page has no buttons to approve it with.
    refund = offered.pop("refund", None)
    pays: list[Tool] = [replace(refund, is_enabled=_something_is_returned)] if refund else []
    billing = Agent(
        name="Billing",
        handoff_description="Refunds, and everything else about money.",
        instructions=BILLING,
        tools=[*offered.values(), *pays],
    )
    return Agent(name="Desk", instructions=DESK, tools=[*offered.values()], handoffs=[billing])


async def _something_is_returned(wrapper: RunContextWrapper[Turn], _: Any) -> bool:
    """Whether billing has the refund: nobody is asked to approve what cannot be paid back."""
    return bool((await wrapper.context.thread_data.read()).refundable)
