"""One streaming request's view of the store: answers reads from memory, and claims the run.

ChatKit's SDK reads the thread and its newest items several times, and writes the thread and the
message in between. The checks have read all of that already, so those reads need no request. The
first write also claims the run and creates a new thread, in one transaction. So a message costs
two round trips before the model is called, and a repeated request writes nothing.
"""

import asyncio

from chatkit.errors import CustomStreamError
from chatkit.store import NotFoundError, Store, StoreItemType
from chatkit.types import Attachment, Page, ThreadItem, ThreadMetadata

from ..context import RequestContext
from ..store import DynamoDBStore, Run
from .checks import Checked


class RunStore(Store[RequestContext]):
    """A `Store` for one run in one thread. Each request needs a new one."""

    def __init__(self, store: DynamoDBStore, run: Run, checked: Checked) -> None:
        self.run = run
        self.newest = checked.newest
        self.generated_ids: set[str] = set()
        """The item ids that were made for this run."""
        self.claimed = False
        self._store = store
        self._opened = checked.thread
        sender = None if checked.action is None else checked.action.sender
        self._pressed = [] if sender is None else [sender]  # may be older than the newest items
        self._attachments = {file.id: file for file in checked.attachments}
        self._new_thread: ThreadMetadata | None = None
        self._claim_lock = asyncio.Lock()

    # The checks have read what the SDK reads first. The thread is one object for the whole run: the
    # SDK finds out what an action or a tool has changed on it, and saves that.

    async def load_thread(self, thread_id: str, context: RequestContext) -> ThreadMetadata:
        if self._opened is not None and self._opened.id == thread_id:
            return self._opened
        return await self._store.load_thread(thread_id, context)

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: RequestContext
    ) -> Page[ThreadItem]:
        if thread_id == self.run.thread_id and after is None and order == "desc":
            items, older = await self.newest.all(), await self.newest.has_more()
            if not older or limit <= len(items):
                data = [item.model_copy(deep=True) for item in items[:limit]]
                more = older or len(items) > limit
                return Page(data=data, has_more=more, after=data[-1].id if more and data else None)
        return await self._store.load_thread_items(thread_id, after, limit, order, context)

    async def load_item(self, thread_id: str, item_id: str, context: RequestContext) -> ThreadItem:
        if thread_id == self.run.thread_id:
            for item in [*await self.newest.all(), *self._pressed]:
                if item.id == item_id:
                    return item.model_copy(deep=True)
        return await self._store.load_item(thread_id, item_id, context)

    # The first write claims the run.

    async def save_thread(self, thread: ThreadMetadata, context: RequestContext) -> None:
        if self.claimed:
            await self._store.save_thread(thread, context)
        else:
            # A new thread is written together with its first message.
            self._new_thread = thread

    async def add_thread_item(
        self, thread_id: str, item: ThreadItem, context: RequestContext
    ) -> None:
        if not await self._claim(context, item):
            await self._store.add_thread_item(thread_id, item, context)
        self._record_write(item)

    async def save_item(self, thread_id: str, item: ThreadItem, context: RequestContext) -> None:
        if not await self._claim(context, item):
            await self._store.save_item(thread_id, item, context)
        self._record_write(item)

    async def delete_thread_item(
        self, thread_id: str, item_id: str, context: RequestContext
    ) -> None:
        await self._claim(context)
        await self._store.delete_thread_item(thread_id, item_id, context)
        self.newest.record_delete(item_id)

    def _record_write(self, item: ThreadItem) -> None:
        self.newest.record_write(item, new=item.id in self.generated_ids)

    async def claim(self, context: RequestContext) -> None:
        """Claim the run now, for a request that acts before its first write."""
        await self._claim(context)

    async def _claim(self, context: RequestContext, item: ThreadItem | None = None) -> bool:
        """Claim the run, once. Returns whether the claim has also written `item`."""
        async with self._claim_lock:
            if self.claimed:
                return False
            self.newest.prefetch()  # at the same time as the claim
            claiming = asyncio.create_task(self._write_claim(context, item))
            try:
                await asyncio.shield(claiming)
            except asyncio.CancelledError:
                # Wait for the write, so that `claimed` is right: a claimed run must be finished.
                await asyncio.gather(claiming, return_exceptions=True)
                raise
        return True

    async def _write_claim(self, context: RequestContext, item: ThreadItem | None) -> None:
        try:
            await self._store.begin_run(self.run, context, thread=self._new_thread, item=item)
        except NotFoundError:
            # The thread or a file was deleted after the check, or the thread has expired, which
            # the check does not see while no retention is set.
            message = "This conversation, or a file of this message, is not here any more."
            raise CustomStreamError(message) from None
        self.claimed = True

    # The ids of this run.

    def generate_thread_id(self, context: RequestContext) -> str:  # noqa: ARG002
        return self.run.thread_id

    def generate_item_id(
        self, item_type: StoreItemType, thread: ThreadMetadata, context: RequestContext
    ) -> str:
        new = self._store.generate_item_id(item_type, thread, context)
        self.generated_ids.add(new)
        return new

    # The checks have read the attachments, and the message's transaction writes their records.

    async def save_attachment(self, attachment: Attachment, context: RequestContext) -> None:
        if attachment.id not in self._attachments:
            await self._store.save_attachment(attachment, context)

    async def load_attachment(self, attachment_id: str, context: RequestContext) -> Attachment:
        if attachment_id in self._attachments:
            return self._attachments[attachment_id]
        return await self._store.load_attachment(attachment_id, context)

    # Everything else goes to the store unchanged.

    async def name_thread(
        self, thread: ThreadMetadata, title: str, context: RequestContext
    ) -> None:
        await self._store.name_thread(thread, title, context)

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: RequestContext
    ) -> Page[ThreadMetadata]:
        return await self._store.load_threads(limit, after, order, context)

    async def delete_attachment(self, attachment_id: str, context: RequestContext) -> None:
        await self._store.delete_attachment(attachment_id, context)

    async def delete_thread(self, thread_id: str, context: RequestContext) -> None:
        await self._store.delete_thread(thread_id, context)
