"""Stores the updates of a widget.

ChatKit's SDK sends updates of an existing widget to the page but does not store them
(`ChatKitServer._process_events`, openai-chatkit 1.6.5), so a reload would show the old widget.
Here each update is written, on the condition that the item has not changed since it was read.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Any

from chatkit.types import (
    ThreadItemUpdate,
    ThreadItemUpdatedEvent,
    WidgetComponentUpdated,
    WidgetItem,
    WidgetRootUpdated,
    WidgetStreamingTextValueDelta,
)
from chatkit.widgets import DynamicWidgetRoot, WidgetRoot

from ..context import RequestContext
from ..errors import ActionError
from ..store import Conflict, DynamoDBStore
from .actions import Redraw

MAX_ATTEMPTS = 5

CONFLICT = "This card was changed at the same time. Reload it and try again."


class StoredWidget:
    """A widget item, and the version of it that was read or written last."""

    def __init__(
        self, store: DynamoDBStore, context: RequestContext, item: WidgetItem, version: str
    ) -> None:
        self._store = store
        self._context = context
        self._version = version
        self._unsaved = False
        self.item = item

    @classmethod
    async def load(
        cls, store: DynamoDBStore, thread_id: str, item_id: str, context: RequestContext
    ) -> "StoredWidget":
        """Raises `NotFoundError` when the user has no such item, `ActionError` when the item is
        not a widget.
        """
        return cls(store, context, *await _read(store, thread_id, item_id, context))

    async def redraw(self, draw: Redraw) -> WidgetItem:
        """Draw the widget from the current data and store it.

        When another request has stored the widget in between, it is drawn again, so it shows both
        changes. Raises `ActionError` (409) after several attempts.
        """
        for attempt in range(MAX_ATTEMPTS):
            try:
                return await self.save(await draw(self.item))
            except Conflict:
                await asyncio.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311
                self.item, self._version = await _read(
                    self._store, self.item.thread_id, self.item.id, self._context
                )
        raise ActionError(409, CONFLICT)

    async def save(self, widget: WidgetRoot) -> WidgetItem:
        """Store `widget`. Raises `Conflict` when the item has changed since it was read."""
        drawn = self.item.model_copy(update={"widget": widget})
        self._version = await self._store.save_item_if(
            drawn.thread_id, drawn, self._context, expected=self._version
        )
        self.item, self._unsaved = drawn, False
        return drawn

    async def apply(self, event: ThreadItemUpdatedEvent) -> None:
        """Apply the change that `event` makes on the page.

        A new root is stored at once. `flush` stores streamed text, so that there is not one write
        per word. Raises `ActionError` when another request has changed the item.
        """
        after = _apply_update(self.item.widget, event.update)
        if after is None:
            return
        if isinstance(event.update, WidgetRootUpdated):
            await self._save_or_raise(after)
            return
        self.item = self.item.model_copy(update={"widget": after})
        self._unsaved = True

    async def flush(self) -> None:
        """Store the changes that `apply` has not stored."""
        if self._unsaved:
            await self._save_or_raise(self.item.widget)

    async def _save_or_raise(self, widget: WidgetRoot) -> None:
        try:
            await self.save(widget)
        except Conflict:
            raise ActionError(409, CONFLICT) from None


async def _read(
    store: DynamoDBStore, thread_id: str, item_id: str, context: RequestContext
) -> tuple[WidgetItem, str]:
    item, version = await store.load_item_versioned(thread_id, item_id, context)
    if not isinstance(item, WidgetItem):
        raise ActionError(422, "Only a widget has actions.")
    return item, version


def _apply_update(widget: WidgetRoot, update: ThreadItemUpdate) -> WidgetRoot | None:
    """`widget` after `update`, or None for an update of another kind of item."""
    match update:
        case WidgetRootUpdated(widget=root):
            return root
        case WidgetStreamingTextValueDelta(component_id=component_id, delta=delta, done=done):
            return _change_component(
                widget,
                component_id,
                lambda node: {**node, "value": node["value"] + delta, "streaming": not done},
            )
        case WidgetComponentUpdated(component_id=component_id, component=component):
            return _change_component(
                widget, component_id, lambda _: component.model_dump(mode="json")
            )
    return None


def _change_component(
    widget: WidgetRoot, component_id: str, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> WidgetRoot:
    def walk(node: Any) -> Any:
        if isinstance(node, list):
            return [walk(child) for child in node]
        if not isinstance(node, dict):
            return node
        if node.get("id") == component_id:
            return change(node)
        return {**node, "children": walk(node["children"])} if "children" in node else node

    return DynamicWidgetRoot.model_validate(walk(widget.model_dump(mode="json")))
