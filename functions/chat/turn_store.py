"""One streaming request's view of the store: reads together, once, and claims the run.

The SDK reads the thread, its newest items and again its newest items, one after
the other, and writes the thread and the message in between. Here all of that is
read in one round trip, begun before the stream starts, and the first write of the
request carries the run's claim, and a new thread, in the same transaction. The quota
is read beside the first and counted beside the second. So a message costs two round
trips before the model is called, and a re-sent request writes nothing to its thread.
"""

import asyncio
import logging
from dataclasses import replace

from botocore.exceptions import BotoCoreError, ClientError
from chatkit.errors import CustomStreamError
from chatkit.store import NotFoundError, Store, StoreItemType
from chatkit.types import Attachment, Page, ThreadItem, ThreadMetadata

from ..context import RequestContext
from ..store import DynamoDBStore, OverQuota, Quota
from ..store.runs import Run
from ..telemetry import describe
from .newest import NewestItems

logger = logging.getLogger(__name__)


class TurnStore(Store[RequestContext]):
    """A `Store` for one run in one thread. Not for sharing between requests.

    `on_message` is told of the visitor's message before the table has written it, `on_claim`
    when it has and may be answered. In between, `asked` says that the request to write it is
    on its way.
    """

    def __init__(self, store: DynamoDBStore, run: Run, quota: Quota) -> None:
        self.run = run
        self.minted: set[str] = set()
        self.attachments: dict[str, Attachment] = {}
        self.claimed = False
        self._store = store
        self._quota = quota
        self._thread: ThreadMetadata | None = None
        self._new: ThreadMetadata | None = None
        self._current: ThreadMetadata | None = None
        self._over: OverQuota | None = None
        self.newest = NewestItems()
        self._claiming = asyncio.Lock()

    async def open(self, thread_id: str, limit: int, context: RequestContext) -> ThreadMetadata:
        """Read the thread, and with it its newest `limit` items.

        Raises `NotFoundError` for a thread that is not this user's.
        """
        thread, read_items = await self._store.open_turn(thread_id, limit, context)
        self.newest.read(read_items())
        self._thread = self._current = thread
        self.run = replace(self.run, thread_id=thread_id)
        return thread

    # What the SDK reads at the beginning of a turn was read already.

    async def load_thread(self, thread_id: str, context: RequestContext) -> ThreadMetadata:
        thread, self._thread = self._thread, None
        if thread is not None and thread.id == thread_id:
            return thread
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
            # A new thread: it is written with its first message, or not at all.
            self._new = self._current = thread
            self.run = replace(self.run, thread_id=thread.id)

    async def add_thread_item(
        self, thread_id: str, item: ThreadItem, context: RequestContext
    ) -> None:
        if self.claimed:
            await self._store.add_thread_item(thread_id, item, context)
            self._note(item)
            return
        self._note(item)
        if not await self._claim(context, item):
            await self._store.add_thread_item(thread_id, item, context)

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

        No request: it is known since the claim.
        """
        if self._over is not None:
            raise CustomStreamError(self._over.message, allow_retry=True)

    async def _claim(self, context: RequestContext, item: ThreadItem | None = None) -> bool:
        """Whether `item` was written along with the claim."""
        async with self._claiming:
            if self.claimed:
                return False
            claiming = asyncio.create_task(self._write_claim(context, item))
            try:
                spent = await asyncio.shield(claiming)
            except asyncio.CancelledError:
                # A write that was begun is made: whoever stops the run has to know of it.
                await asyncio.gather(claiming, return_exceptions=True)
                raise
        if isinstance(spent, OverQuota):
            # Others spent what was left since this request was checked.
            self._over = spent
            if item is None:
                self.check_quota()
            # The page is told of a message that was written, or it would send it again.
            return True
        if isinstance(spent, ClientError | BotoCoreError):
            # No reason to leave a message unanswered: the quota was checked before.
            logger.warning("a message was not counted: %s", describe(spent))
        elif spent is not None:
            raise spent
        return True

    async def _write_claim(
        self, context: RequestContext, item: ThreadItem | None
    ) -> BaseException | None:
        """What counting the message came to."""
        begun, spent = await asyncio.gather(
            self._store.begin_run(self.run, context, thread=self._new, item=item),
            self._quota.spend(context),
            return_exceptions=True,
        )
        if isinstance(begun, NotFoundError):
            # Since this request was checked, or its date passed while there is no retention.
            gone = "This conversation, or a file of this message, is not here any more."
            raise CustomStreamError(gone) from None
        if begun is not None:
            raise begun
        self.claimed = True
        return spent

    # Ids are remembered, so that the run knows its own.

    def generate_thread_id(self, context: RequestContext) -> str:
        return self._store.generate_thread_id(context)

    def generate_item_id(
        self, item_type: StoreItemType, thread: ThreadMetadata, context: RequestContext
    ) -> str:
        new = self._store.generate_item_id(item_type, thread, context)
        self.minted.add(new)
        return new

    # Everything else goes straight through.

    async def name_thread(
        self, thread: ThreadMetadata, title: str, context: RequestContext
    ) -> None:
        await self._store.name_thread(thread, title, context)

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: RequestContext
    ) -> Page[ThreadMetadata]:
        return await self._store.load_threads(limit, after, order, context)

    async def save_attachment(self, attachment: Attachment, context: RequestContext) -> None:
        # The transaction that adds the message writes its attachments' records too.
        if attachment.id not in self.attachments:
            await self._store.save_attachment(attachment, context)

    async def load_attachment(self, attachment_id: str, context: RequestContext) -> Attachment:
        if attachment_id in self.attachments:  # read and checked before the stream began
            return self.attachments[attachment_id]
        return await self._store.load_attachment(attachment_id, context)

    async def delete_attachment(self, attachment_id: str, context: RequestContext) -> None:
        await self._store.delete_attachment(attachment_id, context)

    async def delete_thread(self, thread_id: str, context: RequestContext) -> None:
        await self._store.delete_thread(thread_id, context)
