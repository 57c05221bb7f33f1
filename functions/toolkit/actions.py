"""Widget actions: what happens when somebody presses a button on a card."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from chatkit.types import ThreadMetadata, WidgetItem
from chatkit.widgets import WidgetRoot
from pydantic import BaseModel

from ..context import RequestContext
from ..errors import ActionError
from ..store import DynamoDBStore
from .documents import Documents
from .widgets import offers

Kind = Literal["sync", "events", "answer"]

Redraw = Callable[[WidgetItem], Awaitable[WidgetRoot]]
"""Draws the pressed widget from the data as it is now.

It only reads: it is called again, with the item as it then is, when somebody else changed the
item in between.
"""


@dataclass(frozen=True)
class Handover:
    """What the assistant is told before it goes on. The visitor does not see `context`."""

    context: str
    redraw: Redraw | None = None


@dataclass(frozen=True)
class ActionRun:
    """One press of a button, as its handler sees it.

    `sender` is the widget that was pressed. It is None only for an action that the page sent
    without a widget, and never for a `sync` handler.
    """

    thread: ThreadMetadata
    sender: WidgetItem | None
    store: DynamoDBStore
    context: RequestContext
    documents: Documents

    def check_offered(self, action: str) -> None:
        """Raise `ActionError` (409) when the pressed card no longer has a button for `action`."""
        if self.sender is not None and not offers(self.sender.widget, action):
            raise ActionError(409, "This card has no such button any more.")


@dataclass(frozen=True)
class WidgetAction:
    """An action with its handler: what `@action` makes."""

    name: str
    kind: Kind
    payload: type[BaseModel]
    handler: Callable[[ActionRun, Any], Any]


def action(
    name: str,
    *,
    payload: type[BaseModel],
    sync: bool = False,
    streams_answer: bool = False,
) -> Callable[[Callable[[ActionRun, Any], Any]], WidgetAction]:
    """Declare the handler of an action: `name` is what the widget's template calls its `type`.

    The payload comes from the browser. It is validated before the handler gets it. A handler is
    one of three kinds:

    - `sync=True`: `async def handler(run, payload) -> Redraw` changes the person's documents and
      returns how to draw the pressed widget. It serves both of ChatKit's action operations. In
      the template say `"streaming": false`.
    - `streams_answer=True`: `async def handler(run, payload) -> Handover`. The assistant goes on,
      and knows what the handler tells it. Only `/chatkit` runs it.
    - neither: `async def handler(run, payload)` yields ChatKit's thread events.
    """
    if sync and streams_answer:
        raise ValueError(f"{name}: a sync action cannot stream an answer")
    kind: Kind = "sync" if sync else "answer" if streams_answer else "events"
    return lambda handler: WidgetAction(name, kind, payload, handler)
