"""One streaming request's view of the store: it serves what was read, and claims the run.

ChatKit's SDK reads the thread and its newest items several times, one after the other, and writes
the thread and the message in between. The checks have read all of that already. The first write
of the request carries the run's claim, and a new thread, in one transaction. So a message costs
two round trips before the model is called, and a request that is sent again writes nothing.
"""

import asyncio
import logging

from botocore.exceptions import BotoCoreError, ClientError
from chatkit.errors import CustomStreamError
from chatkit.store import NotFoundError, Store, StoreItemType
from chatkit.types import Attachment, Page, ThreadItem, ThreadMetadata

from ..context import RequestContext
from ..store import DynamoDBStore, OverQuota, Quota, Run
from ..telemetry import describe
from .checks import Checked

logger = logging.getLogger(__name__)


class TurnStore(Store[RequestContext]):
    """A `Store` for one run in one thread. Not for sharing between requests."""

    def __init__(self, store: DynamoDBStore, quota: Quota, run: Run, checked: Checked) -> None:
        self.run = run
        self.newest = checked.newest
        self.minted: set[str] = set()
        """Ids that were made for this run."""
        self.claimed = False
        self._store = store
        self._quota = quota
        self._opened = checked.thread
        self._attachments = {file.id: file for file in checked.attachments}
        self._new_thread: ThreadMetadata | None = None
        self._over: OverQuota | None = None
        self._claiming = asyncio.Lock()

    # What the SDK reads at the beginning of a turn was read already.

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
            for item in await self.newest.all():
                if item.id == item_id:
                    return item.model_copy(deep=True)
        return await self._store.load_item(thread_id, item_id, context)

    # The first write claims the run.

    async def save_thread(self, thread: ThreadMetadata, context: RequestContext) -> None:
        if self.claimed:
            await self._store.save_thread(thread, context)
        else:
            # A new thread is written with its first message, or not at all.
            self._new_thread = thread

    async def add_thread_item(
        self, thread_id: str, item: ThreadItem, context: RequestContext
    ) -> None:
        if not await self._claim(context, item):
            await self._store.add_thread_item(thread_id, item, context)
        self._note(item)

    async def save_item(self, thread_id: str, item: ThreadItem, context: RequestContext) -> None:
        if not await self._claim(context, item):
            await self._store.save_item(thread_id, item, context)
        self._note(item)

    async def delete_thread_item(
        self, thread_id: str, item_id: str, context: RequestContext
    ) -> None:
        await self._claim(context)
        await self._store.delete_thread_item(thread_id, item_id, context)
        self.newest.drop(item_id)

    def _note(self, item: ThreadItem) -> None:
        self.newest.put(item, new=item.id in self.minted)

    async def begin(self, context: RequestContext) -> None:
        """Claim the run now, for a request that does something before it writes here."""
        await self._claim(context)

    def check_quota(self) -> None:
        """Raise `CustomStreamError` when the message was written but may not be answered.

        It is known since the claim, so this costs no request.
        """
        if self._over is not None:
            raise CustomStreamError(self._over.message, allow_retry=True)

    async def _claim(self, context: RequestContext, item: ThreadItem | None = None) -> bool:
        """Claim the run unless that was done. Returns whether `item` was written along with it."""
        async with self._claiming:
            if self.claimed:
                return False
            self.newest.start()  # the table answers both at the same time
            claiming = asyncio.create_task(self._write_claim(context, item))
            try:
                spent = await asyncio.shield(claiming)
            except asyncio.CancelledError:
                # The write goes on. Whoever stops the run has to know whether it was made.
                await asyncio.gather(claiming, return_exceptions=True)
                raise
        if isinstance(spent, OverQuota):
            # Other requests used up the quota since this one was checked.
            self._over = spent
            if item is None:
                self.check_quota()
            # The page is told of a message that was written, or it would send it again.
        elif isinstance(spent, ClientError | BotoCoreError):
            # No reason to leave a message unanswered: the quota was checked before.
            logger.warning("a message was not counted: %s", describe(spent))
        elif spent is not None:
            raise spent
        return True

    async def _write_claim(
        self, context: RequestContext, item: ThreadItem | None
    ) -> BaseException | None:
        """Write the claim and count the message. Returns the error of counting, if any."""
        begun, spent = await asyncio.gather(
            self._store.begin_run(self.run, context, thread=self._new_thread, item=item),
            self._quota.spend(context),
            return_exceptions=True,
        )
        if isinstance(begun, NotFoundError):
            # Deleted since this request was checked, or expired while no retention is set.
            gone = "This conversation, or a file of this message, is not here any more."
            raise CustomStreamError(gone) from None
        if begun is not None:
            raise begun
        self.claimed = True
        return spent

    # The run knows the ids that were made for it.

    def generate_thread_id(self, context: RequestContext) -> str:  # noqa: ARG002
        return self.run.thread_id

    def generate_item_id(
        self, item_type: StoreItemType, thread: ThreadMetadata, context: RequestContext
    ) -> str:
        new = self._store.generate_item_id(item_type, thread, context)
        self.minted.add(new)
        return new

    # The checks read the message's attachments, and its transaction writes their records.

    async def save_attachment(self, attachment: Attachment, context: RequestContext) -> None:
        if attachment.id not in self._attachments:
            await self._store.save_attachment(attachment, context)

    async def load_attachment(self, attachment_id: str, context: RequestContext) -> Attachment:
        if attachment_id in self._attachments:
            return self._attachments[attachment_id]
        return await self._store.load_attachment(attachment_id, context)

    # Everything else is the store's.

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
