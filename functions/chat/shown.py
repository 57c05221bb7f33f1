"""What an answer has shown so far, so that it can be taken back."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from chatkit.types import (
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadStreamEvent,
)

from .history import WITHHELD
from .own_items import own_item

if TYPE_CHECKING:
    from .turn import ServedTurn


class ShownItems:
    """The items of one answer to `asked`. `before` are those that the thread had already."""

    def __init__(self, before: Iterable[ThreadItem] = (), asked: ThreadItem | None = None) -> None:
        self._before = {item.id for item in before}
        self._asked = asked
        self.ids: dict[str, None] = {}

    def observe(self, event: ThreadStreamEvent) -> None:
        match event:
            case ThreadItemAddedEvent(item=item) | ThreadItemDoneEvent(item=item):
                if item.id not in self._before:
                    self.ids[item.id] = None
            case ThreadItemRemovedEvent():
                self.ids.pop(event.item_id, None)

    def taken_back(self, turn: "ServedTurn") -> Iterator[ThreadStreamEvent]:
        """The events that remove the answer, and take what was asked out of the history."""
        for item_id in self.ids:
            yield ThreadItemRemovedEvent(item_id=item_id)
        if self._asked is not None:
            yield ThreadItemDoneEvent(
                item=own_item(
                    turn.generate_id("sdk_hidden_context"),
                    turn.thread.id,
                    datetime.now(),  # noqa: DTZ005 - naive, as the SDK's own items are
                    {WITHHELD: self._asked.id},
                )
            )
