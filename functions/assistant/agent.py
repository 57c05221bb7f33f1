"""The assistant. Yours to edit: what it is told, and what it can do."""

from typing import Any

from agents import Agent, Model, ModelSettings, RunContextWrapper, StopAtTools

from ..toolkit.tools import AssistantContext
from . import cards, tools

INSTRUCTIONS = """\
You are a friendly, concise assistant inside a web page. Answer in the language of the visitor.
Use Markdown where it helps. Use your tools rather than guess: the clock for times, the
calculator for sums, the search for what was said in earlier conversations. When you show a
card, do not repeat in words what is on it.
"""

TOOLS = [*tools.TOOLS, *cards.TOOLS]

STOP_AFTER = [*tools.STOP_AFTER, *cards.STOP_AFTER]
"""Tools after which the assistant waits: for the page, or for the visitor."""

MAX_TURNS = 10
"""Model calls for one message: enough for several tools, and an end to a loop."""


def build_agent(model: Model, tool_choice: str | None = None) -> Agent[AssistantContext]:
    """The agent for one message. `tool_choice` is the tool that the visitor picked, if any."""
    settings: dict[str, Any] = {"tool_choice": tool_choice} if tool_choice else {}
    return Agent(
        name="Assistant",
        instructions=_instructions,
        model=model,
        tools=list(TOOLS),
        tool_use_behavior=StopAtTools(stop_at_tool_names=STOP_AFTER),
        model_settings=ModelSettings(**settings),
    )


def _instructions(turn: RunContextWrapper[AssistantContext], _: Agent[AssistantContext]) -> str:
    """What the assistant is told, and what the page says of where the visitor is."""
    request = turn.context.request_context
    known = {f"page {name}": value for name, value in request.page.items()}
    if request.locale:
        known["language of the browser"] = request.locale
    facts = "\n".join(f"- {name}: {value}" for name, value in known.items())
    return f"{INSTRUCTIONS}\nAbout the visitor:\n{facts}\n" if facts else INSTRUCTIONS
