"""A store in memory for whole turns. The bench of the first token compares the table with it."""

from functools import partial

from functions.store import MemoryStore, OpenThread


class MemoryTurns(MemoryStore):
    """The library's, with what a turn of the engine needs besides."""

    async def open_turn(self, thread_id, limit, context):
        thread = await self.load_thread(thread_id, context)
        return thread, partial(self.load_thread_items, thread_id, None, limit, "desc", context)

    async def read_turn(self, thread_id, limit, context):
        thread = await self.load_thread(thread_id, context)
        items = await self.load_thread_items(thread_id, None, limit, "desc", context)
        return OpenThread(thread, items, None)

    async def begin_run(self, run, context, *, thread=None, item=None):
        if thread is not None:
            await self.save_thread(thread, context)
        if item is not None:
            await self.add_thread_item(run.thread_id, item, context)

    async def name_thread(self, thread, title, context):
        thread.title = title
        await self.save_thread(thread, context)


class MemoryRuns:
    """Runs that are never cancelled, and none of which is asked for again."""

    async def find(self, run_id, context):
        return None

    async def is_cancelled(self, run_id, context):
        return False

    async def finish(self, *_):
        pass
