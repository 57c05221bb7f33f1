"""Replaces the model's item ids with ids from the store.

The SDK reuses the model's item ids, and with every chat completions model each message has the
id `__fake_id__`, so each answer would overwrite the last one. Here each message and client tool
call of a run gets one time-ordered id, which is the same in every event of that run.
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
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
)


class RunIds:
    """Maps the model's ids of one run's items to the store's ids.

    `new_id` makes an id. `store_ids` contains the ids that the store has made for this run, for the
    agent's tools for instance; items that have one of these ids keep it.
    """

    def __init__(self, new_id: Callable[[StoreItemType], str], store_ids: Container[str]) -> None:
        self._new_id = new_id
        self._store_ids = store_ids
        self._current: dict[str, str] = {}
        self._all: defaultdict[str, list[str]] = defaultdict(list)
        self._created_at: dict[str, datetime] = {}

    async def rewrite(
        self, events: AsyncIterator[ThreadStreamEvent]
    ) -> AsyncIterator[ThreadStreamEvent]:
        async for event in events:
            match event:
                case ThreadItemAddedEvent(item=item) if self._needs_id(item):
                    store_id = self._assign(item)
                    self._created_at[store_id] = item.created_at
                    yield event.model_copy(update={"item": _with_id(item, store_id)})
                case ThreadItemUpdatedEvent(item_id=model_id) if model_id in self._current:
                    yield event.model_copy(update={"item_id": self._current[model_id]})
                case ThreadItemDoneEvent(item=item) if self._needs_id(item):
                    yield event.model_copy(update={"item": self._finish(item)})
                case ThreadItemReplacedEvent(item=item) if item.id in self._current:
                    yield event.model_copy(update={"item": _with_id(item, self._current[item.id])})
                case ThreadItemRemovedEvent(item_id=model_id) if model_id in self._all:
                    for store_id in self._all.pop(model_id):
                        yield event.model_copy(update={"item_id": store_id})
                case _:
                    yield event

    def _needs_id(self, item: ThreadItem) -> bool:
        return (
            isinstance(item, AssistantMessageItem | ClientToolCallItem)
            and item.id not in self._store_ids
        )

    def _assign(self, item: ThreadItem) -> str:
        store_id = self._new_id("tool_call" if isinstance(item, ClientToolCallItem) else "message")
        self._current[item.id] = store_id
        self._all[item.id].append(store_id)
        return store_id

    def _finish(self, item: ThreadItem) -> ThreadItem:
        store_id = self._current.get(item.id)
        if store_id is None or store_id not in self._created_at:
            return _with_id(item, self._assign(item))
        # The SDK gives the finished item a new time. Keep the one of the added item.
        return _with_id(item, store_id).model_copy(
            update={"created_at": self._created_at.pop(store_id)}
        )


def _with_id(item: ThreadItem, new_id: str) -> ThreadItem:
    return item.model_copy(update={"id": new_id})
