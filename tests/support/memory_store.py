"""A store in memory, for benches that leave the table out."""

from collections import defaultdict
from functools import partial
from typing import Any

from chatkit.store import NotFoundError, Store
from chatkit.types import Page

from functions.aws.ids import new_id
from functions.store import OpenThread


class MemoryStore(Store[Any]):
    """The part of `DynamoDBStore` that a turn needs, kept in dictionaries."""

    def __init__(self) -> None:
        self.threads: dict[str, Any] = {}
        self.items: defaultdict[str, dict[str, Any]] = defaultdict(dict)

    def generate_thread_id(self, context):
        return new_id("thread")

    def generate_item_id(self, item_type, thread, context):
        return new_id(item_type)

    async def load_thread(self, thread_id, context):
        try:
            return self.threads[thread_id].model_copy(deep=True)
        except KeyError:
            raise NotFoundError from None

    async def save_thread(self, thread, context):
        self.threads[thread.id] = thread.model_copy(deep=True)

    async def name_thread(self, thread, title, context):
        thread.title = self.threads[thread.id].title or title
        await self.save_thread(thread, context)

    async def load_thread_items(self, thread_id, after, limit, order, context):
        items = sorted(self.items[thread_id].values(), key=lambda item: item.created_at)
        items = items[::-1] if order == "desc" else items
        start = next((at + 1 for at, item in enumerate(items) if item.id == after), 0)
        data, more = items[start : start + limit], len(items) > start + limit
        return Page(data=data, has_more=more, after=data[-1].id if more else None)

    async def add_thread_item(self, thread_id, item, context):
        self.items[thread_id][item.id] = item.model_copy(deep=True)

    save_item = add_thread_item

    async def load_item(self, thread_id, item_id, context):
        return self.items[thread_id][item_id]

    async def delete_thread_item(self, thread_id, item_id, context):
        self.items[thread_id].pop(item_id, None)

    async def delete_thread(self, thread_id, context):
        self.threads.pop(thread_id, None)

    async def load_threads(self, limit, after, order, context):
        return Page(data=list(self.threads.values())[:limit])

    async def save_attachment(self, attachment, context):
        raise NotFoundError

    load_attachment = delete_attachment = save_attachment

    async def open_turn(self, thread_id, limit, context):
        thread = await self.load_thread(thread_id, context)
        return thread, partial(self.load_thread_items, thread_id, None, limit, "desc", context)

    async def read_turn(self, thread_id, limit, context):
        thread = await self.load_thread(thread_id, context)
        items = await self.load_thread_items(thread_id, None, limit, "desc", None)
        return OpenThread(thread, items, None)

    async def begin_run(self, run, context, *, thread=None, item=None):
        if thread is not None:
            await self.save_thread(thread, context)
        if item is not None:
            await self.add_thread_item(run.thread_id, item, context)


class MemoryRuns:
    """Runs that are never cancelled, and none of which is asked for again."""

    async def find(self, run_id, context):
        return None

    async def is_cancelled(self, run_id, context):
        return False

    async def finish(self, *_):
        pass
