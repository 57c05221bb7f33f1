"""A card and a client tool: the page changes its look, and the server stores the choice."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from functions.toolkit import Document, Turn, Widget, action, tool

CARD = Widget(Path(__file__).parents[1] / "widgets" / "look.widget")

LOOK = Document[str]("look", str, empty=lambda: "system")


@tool(needs="widget_actions")
async def show_looks(turn: Turn) -> str:
    """Shows the looks."""
    await turn.stream_widget(CARD.build(look=await turn.documents.read(LOOK)))
    return "The looks are on the page."


class Applied(BaseModel):
    scheme: Literal["light", "dark", "system"]


@action("theme.applied", payload=Applied, sync=True)
async def applied(run, payload):
    run.check_offered("theme.set")
    await run.documents.change(LOOK, lambda _: payload.scheme)

    async def redraw(_):
        return CARD.build(look=await run.documents.read(LOOK))

    return redraw


@tool(ends_turn=True, needs="client_tools")
async def switch_theme(turn: Turn, theme: Literal["light", "dark", "system"]) -> str:
    """Switches the look of the page.

    Args:
        theme: The look.
    """
    turn.call_client_tool("switch_theme", {"theme": theme})
    return "The page is switching."
