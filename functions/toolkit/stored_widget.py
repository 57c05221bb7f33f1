"""Stores what a widget becomes.

ChatKit's SDK sends updates of an existing widget to the page and does not store them
(`ChatKitServer._process_events`, openai-chatkit 1.6.5): a reload would show the old widget.
Here each update is written, on the condition that nobody changed the item since it was read.
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

ATTEMPTS = 5

CHANGED_MEANWHILE = "This card was changed at the same time. Reload it and try again."


class StoredWidget:
    """A widget item and the version that it was read at."""

    def __init__(
        self, items: DynamoDBStore, context: RequestContext, item: WidgetItem, version: str
    ) -> None:
        self._items = items
        self._context = context
        self._version = version
        self._behind = False
        self.item = item

    @classmethod
    async def load(
        cls, items: DynamoDBStore, thread_id: str, item_id: str, context: RequestContext
    ) -> "StoredWidget":
        """Raises `NotFoundError` for an unknown item, or somebody else's, and `ActionError` for an
        item that is not a widget.
        """
        return cls(items, context, *await _read(items, thread_id, item_id, context))

    async def redraw(self, draw: Redraw) -> WidgetItem:
        """Draw the widget from the data as it is now, and store it.

        When somebody else stored theirs in between, it is drawn again, from data that has both
        changes.
        """
        for attempt in range(ATTEMPTS):
            try:
                return await self.keep(await draw(self.item))
            except Conflict:
                await asyncio.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311
                self.item, self._version = await _read(
                    self._items, self.item.thread_id, self.item.id, self._context
                )
        raise ActionError(409, CHANGED_MEANWHILE)

    async def keep(self, widget: WidgetRoot) -> WidgetItem:
        """Store `widget`. Raises `Conflict` when somebody changed the item since it was read."""
        drawn = self.item.model_copy(update={"widget": widget})
        self._version = await self._items.save_item_if(
            drawn.thread_id, drawn, self._context, expected=self._version
        )
        self.item, self._behind = drawn, False
        return drawn

    async def follow(self, event: ThreadItemUpdatedEvent) -> None:
        """Apply to the stored widget what `event` changes on the page.

        A new root is stored at once. Text that streams in is stored by `flush`, not word by word.
        Raises `ActionError` when somebody else changed the item.
        """
        after = _updated(self.item.widget, event.update)
        if after is None:
            return
        if isinstance(event.update, WidgetRootUpdated):
            await self._keep_or_refuse(after)
            return
        self.item = self.item.model_copy(update={"widget": after})
        self._behind = True

    async def flush(self) -> None:
        """Store what `follow` applied and did not store."""
        if self._behind:
            await self._keep_or_refuse(self.item.widget)

    async def _keep_or_refuse(self, widget: WidgetRoot) -> None:
        try:
            await self.keep(widget)
        except Conflict:
            raise ActionError(409, CHANGED_MEANWHILE) from None


async def _read(
    items: DynamoDBStore, thread_id: str, item_id: str, context: RequestContext
) -> tuple[WidgetItem, str]:
    item, version = await items.load_item_versioned(thread_id, item_id, context)
    if not isinstance(item, WidgetItem):
        raise ActionError(422, "Only a widget has actions.")
    return item, version


def _updated(widget: WidgetRoot, update: ThreadItemUpdate) -> WidgetRoot | None:
    """`widget` after `update`, or None when the update is not about widgets."""
    match update:
        case WidgetRootUpdated(widget=root):
            return root
        case WidgetStreamingTextValueDelta(component_id=place, delta=delta, done=done):
            return _changed(
                widget,
                place,
                lambda node: {**node, "value": node["value"] + delta, "streaming": not done},
            )
        case WidgetComponentUpdated(component_id=place, component=component):
            return _changed(widget, place, lambda _: component.model_dump(mode="json"))
    return None


def _changed(
    widget: WidgetRoot, place: str, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> WidgetRoot:
    def walk(node: Any) -> Any:
        if isinstance(node, list):
            return [walk(child) for child in node]
        if not isinstance(node, dict):
            return node
        if node.get("id") == place:
            return change(node)
        return {**node, "children": walk(node["children"])} if "children" in node else node

    return DynamicWidgetRoot.model_validate(walk(widget.model_dump(mode="json")))
