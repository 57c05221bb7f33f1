"""Widget actions: what happens when the user presses a button on a card."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from chatkit.store import StoreItemType
from chatkit.types import ThreadMetadata, WidgetItem
from chatkit.widgets import WidgetRoot
from pydantic import BaseModel

from ..context import RequestContext
from ..errors import ActionError
from ..store import DynamoDBStore
from .documents import Documents, ThreadData
from .widgets import offers

Kind = Literal["sync", "events", "answer"]

Redraw = Callable[[WidgetItem], Awaitable[WidgetRoot]]
"""Draws the pressed widget from the current data.

It must only read. When another request has changed the item in between, it is called again with
the new item.
"""


@dataclass(frozen=True)
class Handover:
    """Lets the assistant continue. It gets `context`, which the visitor does not see."""

    context: str
    redraw: Redraw | None = None


@dataclass(frozen=True)
class ActionRun:
    """One run of an action, which its handler gets as its first argument.

    `sender` is the widget that was pressed. It is None when the page sent the action without a
    widget, which is never the case for a `sync` handler.
    """

    thread: ThreadMetadata
    """The conversation. Changes of its `title` or `metadata` are saved, except those of a `sync`
    handler.
    """

    sender: WidgetItem | None
    store: DynamoDBStore
    """The store of conversations. It returns only those of this user."""

    context: RequestContext
    """The user (`user_id`), their language (`locale`) and their page (`page`). Of people who have
    signed in also `name`, `email`, `tenant` and `roles`."""

    documents: Documents
    """The documents that the assistant stores for this user: see `Document`."""

    @property
    def thread_data(self) -> ThreadData[Any]:
        """What the assistant stores for this conversation: see `Assistant.thread_data`."""
        return self.documents.of_thread(self.thread.id)

    def generate_id(self, kind: StoreItemType) -> str:
        """A new id for an item that the handler creates.

        Like ChatKit's own items, such an item needs a naive local time in `created_at`:
        `datetime.now()`.
        """
        return self.store.generate_item_id(kind, self.thread, self.context)

    def check_offered(self, action: str) -> None:
        """Raise `ActionError` (409) when the pressed card no longer has a button for `action`."""
        if self.sender is not None and not offers(self.sender.widget, action):
            raise ActionError(409, "This card has no such button any more.")


@dataclass(frozen=True)
class WidgetAction:
    """An action and its handler. `@action` makes it."""

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
    """Declare the handler of an action. `name` is the action's `type` in the widget's template.

    The payload comes from the browser and is validated as a `payload` before the handler gets it.
    There are three kinds of handlers:

    - `sync=True`: `async def handler(run, payload) -> Redraw` changes the user's documents and
      returns a function that draws the pressed widget. The action in the template needs
      `"streaming": false`.
    - `streams_answer=True`: `async def handler(run, payload) -> Handover` lets the assistant
      continue with the context that it returns. Only `/chatkit` serves such an action.
    - neither: `async def handler(run, payload)` is a generator of ChatKit's thread events.
    """
    if sync and streams_answer:
        raise ValueError(f"{name}: a sync action cannot stream an answer")
    kind: Kind = "sync" if sync else "answer" if streams_answer else "events"
    return lambda handler: WidgetAction(name, kind, payload, handler)
