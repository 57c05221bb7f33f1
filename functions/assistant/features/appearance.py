"""The look of the page: light or dark, chosen on a card or in a message. The page changes it."""

from pathlib import Path
from typing import Literal

from chatkit.types import WidgetItem
from chatkit.widgets import WidgetRoot
from pydantic import BaseModel

from ...toolkit import ActionRun, Document, Redraw, Turn, Widget, action, tool

CARD = Widget(Path(__file__).parents[1] / "widgets" / "appearance.widget")

Scheme = Literal["light", "dark", "system"]


class Preferences(BaseModel):
    scheme: Scheme = "system"


PREFERENCES = Document[Preferences]("preferences", Preferences, empty=Preferences)


@tool(needs="widget_actions")
async def show_appearance(turn: Turn) -> str:
    """Shows a card with which the visitor chooses between the light and the dark look."""
    preferences = await turn.documents.read(PREFERENCES)
    await turn.stream_widget(CARD.build(scheme=preferences.scheme))
    return "The card is on the page."


@tool(ends_turn=True, needs="client_tools")
async def switch_theme(turn: Turn, theme: Scheme) -> str:
    """Switches the page between its light and its dark look. The page itself does it.

    Args:
        theme: The look that the visitor wants.
    """
    turn.call_client_tool("switch_theme", {"theme": theme})
    return "The page is switching."


class Applied(BaseModel):
    scheme: Scheme


@action("theme.applied", payload=Applied, sync=True)
async def remember_scheme(run: ActionRun, applied: Applied) -> Redraw:
    """The page sends this action after it has handled the card's button, `theme.set`."""
    run.check_offered("theme.set")
    await run.documents.change(
        PREFERENCES, lambda known: known.model_copy(update={"scheme": applied.scheme})
    )

    async def redraw(_: WidgetItem) -> WidgetRoot:
        return CARD.build(scheme=(await run.documents.read(PREFERENCES)).scheme)

    return redraw
