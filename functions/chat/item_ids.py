"""Gives the items of a run ids of ours.

The SDK reuses the model's item ids, and every chat-completions model gives
`__fake_id__` to every message: each answer would overwrite the last one. Here
each message and client tool call of a run gets one time-ordered id from the
store, the same in every event of that run.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Container
from datetime import datetime

from chatkit.store import StoreItemType
from chatkit.types import (
    AssistantMessageItem,
    ClientToolCallItem,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
)


class RunIds:
    """The ids of one run's items, from the model's to ours.

    `new_id` makes an id; `ours` holds those that the run has already been given
    (the agent's tools ask the store for them), and those stay as they are.
    """

    def __init__(self, new_id: Callable[[StoreItemType], str], ours: Container[str]) -> None:
        self._new_id = new_id
        self._ours = ours
        self._current: dict[str, str] = {}
        self._all: defaultdict[str, list[str]] = defaultdict(list)
        self._begun: dict[str, datetime] = {}

    async def rewrite(
        self, events: AsyncIterator[ThreadStreamEvent]
    ) -> AsyncIterator[ThreadStreamEvent]:
        async for event in events:
            match event:
                case ThreadItemAddedEvent(item=item) if self._foreign(item):
                    ours = self._assign(item)
                    self._begun[ours] = item.created_at
                    yield event.model_copy(update={"item": _with_id(item, ours)})
                case ThreadItemUpdatedEvent(item_id=theirs) if theirs in self._current:
                    yield event.model_copy(update={"item_id": self._current[theirs]})
                case ThreadItemDoneEvent(item=item) if self._foreign(item):
                    yield event.model_copy(update={"item": self._finish(item)})
                case ThreadItemRemovedEvent(item_id=theirs) if theirs in self._all:
                    for ours in self._all.pop(theirs):
                        yield event.model_copy(update={"item_id": ours})
                case _:
                    yield event

    def _foreign(self, item: ThreadItem) -> bool:
        return (
            isinstance(item, AssistantMessageItem | ClientToolCallItem)
            and item.id not in self._ours
        )

    def _assign(self, item: ThreadItem) -> str:
        ours = self._new_id("tool_call" if isinstance(item, ClientToolCallItem) else "message")
        self._current[item.id] = ours
        self._all[item.id].append(ours)
        return ours

    def _finish(self, item: ThreadItem) -> ThreadItem:
        ours = self._current.get(item.id)
        if ours is None or ours not in self._begun:
            return _with_id(item, self._assign(item))
        # The SDK stamps the finished item anew; it began when it was added.
        return _with_id(item, ours).model_copy(update={"created_at": self._begun.pop(ours)})


def _with_id(item: ThreadItem, new_id: str) -> ThreadItem:
    return item.model_copy(update={"id": new_id})
