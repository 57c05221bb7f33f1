"""Widget actions: how one is declared, and how it is found.

A handler is one of three kinds, said where it is registered:

- `sync=True`: `async def h(run, payload) -> Redraw`. It changes the person's
  data and returns how to draw the widget that was pressed. It serves both of
  ChatKit's action operations; in a template say `"streaming": false`.
- `streams_answer=True`: `async def h(run, payload) -> Handover`. The assistant
  goes on, knowing what the handler tells it. Only `/chatkit` runs it.
- neither: `async def h(run, payload)` yields ChatKit's thread events.

The payload comes from the browser; it is validated before a handler sees it.
`functions.toolkit.dispatch` checks and runs what is registered here.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, TypeVar

from chatkit.types import ThreadMetadata, WidgetItem
from chatkit.widgets import WidgetRoot
from pydantic import BaseModel

from ..context import RequestContext
from ..store import DynamoDBStore
from .documents import AssistantData

HANDLERS = "functions.assistant.actions"
"""The module whose import registers the assistant's handlers."""

Kind = Literal["sync", "events", "answer"]

Redraw = Callable[[WidgetItem], Awaitable[WidgetRoot]]
"""Draws the pressed widget from the data as it is now.

Called again, with the item as it then is, when somebody else changed the item
in between: so it only reads.
"""


@dataclass(frozen=True)
class Handover:
    """What the assistant is told, out of the person's sight, before it goes on."""

    context: str
    redraw: Redraw | None = None


@dataclass(frozen=True)
class ActionRun:
    """One press of a button, as its handler sees it.

    `sender` is the widget that was pressed; it is None only for an action that
    the page sent without one, and never for a `sync` handler.
    """

    thread: ThreadMetadata
    sender: WidgetItem | None
    store: DynamoDBStore
    context: RequestContext
    data: AssistantData


@dataclass(frozen=True)
class RegisteredAction:
    name: str
    kind: Kind
    payload: type[BaseModel]
    handler: Callable[[ActionRun, Any], Any]


H = TypeVar("H", bound=Callable[..., Any])

_actions: dict[str, RegisteredAction] = {}


def action(
    action_type: str,
    *,
    payload: type[BaseModel],
    sync: bool = False,
    streams_answer: bool = False,
) -> Callable[[H], H]:
    """Register a handler for `action_type`. Raises `ValueError` for a type that is taken."""
    if sync and streams_answer:
        raise ValueError(f"{action_type}: a sync action cannot stream an answer")
    kind: Kind = "sync" if sync else "answer" if streams_answer else "events"

    def register(handler: H) -> H:
        if action_type in _actions:
            raise ValueError(f"{action_type}: registered twice")
        _actions[action_type] = RegisteredAction(action_type, kind, payload, handler)
        return handler

    return register


def find(action_type: str) -> RegisteredAction | None:
    """The action registered under `action_type`, or None."""
    import_module(HANDLERS)
    return _actions.get(action_type)
