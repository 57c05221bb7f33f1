"""ChatKit's `Store`, in one DynamoDB table."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from chatkit.store import NotFoundError, Store, StoreItemType
from chatkit.types import Attachment, FeedbackKind, Page, ThreadItem, ThreadMetadata

from .. import aws
from ..aws.bucket import Bucket
from ..aws.ids import new_id
from ..aws.keys import named, owner
from . import keys
from .attachment_records import ELSEWHERE, AttachmentRecords
from .bodies import Bodies
from .feedback import Feedback, Mark
from .items import Items
from .links import Links
from .paging import check_page
from .people import People
from .purge import Purge
from .runs import (
    Run,
    Running,
    claim_action,
    claim_error,
    marker,
    running_in,
)
from .sweep import Swept, sweep
from .table import ACTIONS, ConditionFailed, Table
from .threads import Threads


@dataclass(frozen=True)
class OpenThread:
    """What a turn begins with: the thread, its newest items (newest first), and whether another
    run is answering it right now.
    """

    thread: ThreadMetadata
    items: Page[ThreadItem]
    running: Running | None


class DynamoDBStore(Store[Any]):
    """Threads, items and attachment records, each owned by the context's `user_id`.

    - Bad input is a `ValueError`, and what is not there or somebody else's a `NotFoundError`,
      with nothing changed. What this version cannot read is skipped in pages, with a warning.
    - Reads are strongly consistent. Every write is atomic: it happens whole or not at all.
    - A write to a thread that was deleted (or never was) raises `NotFoundError`.
    - Saving a thread writes the fields that changed since this instance was loaded or saved,
      and merges `metadata` by top-level key; it does not move the thread in the list. A
      thread that this store never loaded is written whole.
    - Threads are listed by last activity: the last item written, or their creation.
    - Items are listed by `created_at`, ties by id; an item keeps its place when it is saved
      again. `after` is the last item's id. The cursor of a list of threads is opaque.
    - With a bucket, items may be of any size, and links to its objects are signed anew on
      each load. Without one, an item over some 150 KB compressed raises `TooLargeError`, and
      one that another store put into a bucket is skipped (`NoBucketError` by itself).
    - `retention_days`: a thread goes, with everything in it, so long after its last activity.
    - `purge`: `"now"` removes a deleted thread's items before `delete_thread` returns;
      `"stream"` leaves them, invisible, to `purge_deleted` on the table's stream.

    Faults of AWS come as botocore's exceptions after the retries of `functions.aws.clients`.
    """

    def __init__(
        self,
        table_name: str | Table,
        *,
        client: Any = None,
        bucket: str | Bucket | None = None,
        s3_client: Any = None,
        retention_days: int | None = None,
        purge: Literal["now", "stream"] = "now",
    ) -> None:
        if purge not in ("now", "stream"):
            raise ValueError(f"purge is 'now' or 'stream', not {purge!r}")
        if retention_days is not None and (type(retention_days) is not int or retention_days < 1):
            raise ValueError(f"retention_days is a whole number from 1, not {retention_days!r}")
        self.table = table_name if isinstance(table_name, Table) else Table(table_name, client)
        self.bucket = Bucket(bucket, s3_client) if isinstance(bucket, str) else bucket
        links = Links(self.bucket)
        bodies = Bodies(self.bucket)
        self._threads = Threads(self.table, retention_days)
        self._items = Items(self.table, self._threads, bodies, links)
        self._attachments = AttachmentRecords(self.table, self._threads, links)
        self._feedback = Feedback(self.table, self._threads)
        self._purge = Purge(self.table, self.bucket)
        self._people = People(self.table, self._threads, self._items, links, self._purge)
        self._purge_now = purge == "now"

    def generate_thread_id(self, context: Any) -> str:  # noqa: ARG002 - the SDK calls it so
        return new_id("thread")

    def generate_item_id(
        self,
        item_type: StoreItemType,
        thread: ThreadMetadata,  # noqa: ARG002 - the SDK calls it so
        context: Any,  # noqa: ARG002
    ) -> str:
        return new_id(item_type)

    async def load_thread(self, thread_id: str, context: Any) -> ThreadMetadata:
        """One read of the thread's row. A status that only a newer version knows reads as locked;
        a thread that cannot be read at all is a `NotFoundError`, and not listed.
        """
        return await self._threads.load(thread_id, owner(context))

    async def save_thread(self, thread: ThreadMetadata, context: Any) -> None:
        """One transaction of what changed, in the thread's row and its head; none when nothing
        did, and a read before it for over 50 changes. A thread that this store never loaded is
        written whole: one transaction, with a look at what may be left of a deleted one, and a
        second one where it exists already. (What is left is purged first: see `delete_thread`.)
        Only a `Thread` (with `items`) is what the SDK goes on with after it saved a copy: of a
        thread that exists it changes what it has otherwise than a new one, and of one that was
        deleted, a change is a `NotFoundError`.
        """
        user = owner(context)
        while not await self._threads.save(thread, user):
            # The id of a deleted or expired thread, used again before its remains were purged.
            await self._threads.delete_expired(thread.id, user)
            await self._purge.thread(keys.thread_partition(user, thread.id))
            if await self._threads.revive(thread, user):
                return

    async def name_thread(self, thread: ThreadMetadata, title: str, context: Any) -> None:
        """Give a thread a title unless it has one by now, whatever this instance says; its
        `title` is then the one that is stored, which saving it does not write again.

        One transaction, of the thread's row and its head. `NotFoundError` when it is gone.
        """
        await self._threads.name(thread, title, owner(context))

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: Any
    ) -> Page[ThreadMetadata]:
        """One query of `limit` + 1 rows, whatever the number of threads. Newest first, those that
        move up meanwhile neither repeat nor hide others; one that moves up before its page was
        read is on none of the next, and on the first one when that is read again.
        """
        check_page(limit, order, after)
        return await self._threads.page(limit, after, order, owner(context))

    async def delete_thread(self, thread_id: str, context: Any) -> None:
        """The thread is gone when this returns; unknown ids are fine. One transaction; with
        `purge="now"` also the removal of what lies below it: a query a megabyte, a write for
        each 25 rows, a read for each 200, three requests for each file, two for each 1,000
        objects, and four more. One that breaks off is finished by calling it again.
        """
        user = owner(context)
        await self._threads.delete(thread_id, user)
        if self._purge_now:
            # Also for a thread that is gone already: a purge that failed is finished here.
            await self._purge.thread(keys.thread_partition(user, thread_id))

    async def purge_deleted(self, records: Iterable[dict[str, Any]]) -> list[str]:
        """Handle records of the table's stream; returns the sequence numbers of those that failed.

        `records` are shaped as Lambda passes them on. The function returns the numbers as
        `batchItemFailures`, and Lambda sends these records again: handling a record twice is safe.
        Each failure is logged. What a record costs is said at `delete_thread`.
        """
        return await self._purge.records(records)

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: Any
    ) -> Page[ThreadItem]:
        """One query of `limit` + 1 rows, and in parallel a look at the thread's row; empty for
        an unknown thread. `after` is looked up first when another process handed it out, and
        read along with the page when this one did. An item that was deleted is a cursor for
        a day, then a `NotFoundError`. The cost does not depend on the thread's length; a
        query reads a megabyte at most, and bodies in S3 are one request each, side by side.
        """
        check_page(limit, order, after)
        return await self._items.page(thread_id, after, limit, order, owner(context))

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: Any) -> None:
        """Upsert an item and put its thread at the top, in one transaction of two rows.

        An upload comes before it when the body is over some 150 KB compressed, or is a
        generated image as a data URL. Where the old body lay in S3, a second transaction
        and a removal follow. Raises `NotFoundError` when the thread was never saved, or
        was deleted: nothing is then in the table, and no body in S3. (The bytes of a
        generated image that came as a data URL are left to a sweep.)
        """
        await self._items.save(thread_id, item, owner(context))

    async def save_item(self, thread_id: str, item: ThreadItem, context: Any) -> None:
        """The same as `add_thread_item`."""
        await self._items.save(thread_id, item, owner(context))

    async def load_item(self, thread_id: str, item_id: str, context: Any) -> ThreadItem:
        """One request for the item and its thread, and one to S3 for a large body.

        `NotFoundError` also for an item that this version cannot read, and `NoBucketError`
        for one whose body is in a bucket that this store was not given.
        """
        return (await self._items.load(thread_id, item_id, owner(context)))[0]

    async def load_item_versioned(
        self, thread_id: str, item_id: str, context: Any
    ) -> tuple[ThreadItem, str]:
        """An item and its version, for `save_item_if`. It costs what `load_item` does, and raises
        the same.
        """
        return await self._items.load(thread_id, item_id, owner(context))

    async def save_item_if(
        self, thread_id: str, item: ThreadItem, context: Any, *, expected: str
    ) -> str:
        """Save an item if its version is still `expected`; returns the new version.

        Raises `Conflict`, with nothing changed, when the item was changed or deleted
        meanwhile, and `NotFoundError` when the thread was. It costs what `add_thread_item`
        does; a body that was uploaded for nothing is removed.
        """
        if not isinstance(expected, str):
            raise ValueError(f"a version is text, not {type(expected).__name__}")  # noqa: TRY004
        return await self._items.save(thread_id, item, owner(context), expected=expected)

    async def delete_thread_item(self, thread_id: str, item_id: str, context: Any) -> None:
        """The item and its feedback are gone when this returns; unknown ids are fine. One
        transaction of two rows; for an item that has a body or an image in S3 a second one, and
        their removal.
        """
        await self._items.delete(thread_id, item_id, owner(context))

    async def save_attachment(self, attachment: Attachment, context: Any) -> None:
        """Upsert a record. With a `thread_id` and a bucket, the file is checked and kept first:
        `AttachmentError` when it was not uploaded or is not what it claims; `NotFoundError`
        when the thread was deleted or has expired (with a retention also when it was never
        saved), or another thread has the file. One write of the record; with a `thread_id`
        one transaction (the record, its entry in the thread, a look at the thread and at the
        tombstone), after three or four requests to S3.
        """
        await self._attachments.save(attachment, owner(context))

    async def load_attachment(self, attachment_id: str, context: Any) -> Attachment:
        """One read, and one of its thread for a file that was sent: `NotFoundError` when that was
        deleted or has expired, and, with a warning, for a record that this version cannot read.
        Links are signed anew, here.
        """
        return await self._attachments.load(attachment_id, owner(context))

    async def delete_attachment(self, attachment_id: str, context: Any) -> None:
        """Remove the record; unknown ids are fine. The bytes are the attachment store's.

        One write.
        """
        await self._attachments.delete(attachment_id, owner(context))

    async def save_feedback(
        self, thread_id: str, item_ids: list[str], kind: FeedbackKind, context: Any
    ) -> None:
        """Mark items as liked or not; a mark given again replaces the last one.

        Raises `NotFoundError`, with nothing marked, when the thread or an item is unknown
        (all or none for up to 49 items, one transaction).
        """
        await self._feedback.save(thread_id, item_ids, kind, owner(context))

    async def load_feedback(self, thread_id: str, context: Any) -> list[Mark]:
        """All marks in a thread; empty for an unknown one. One query, and in parallel a look
        at the thread's row.
        """
        return await self._feedback.load(thread_id, owner(context))

    async def open_turn(
        self, thread_id: str, limit: int, context: Any
    ) -> tuple[ThreadMetadata, Callable[[], Coroutine[Any, Any, Page[ThreadItem]]]]:
        """A thread, and what makes a page of its newest items, newest first: one query for both,
        and one request to S3 for each large body of the page. With a retention, the thread's
        own row is read beside it, for only that knows when it expires.

        Raises `NotFoundError` when the thread is unknown, deleted, expired or somebody else's.
        (A date that passed after the retention was turned off is met by `begin_run`.)
        """
        check_page(limit, "desc")
        user = owner(context)
        opening = self._items.open(thread_id, limit, user)
        if not self._threads.retention_seconds:
            head, page = await opening
            return self._threads.read(head, user, thread_id), page
        (_, page), row = await aws.together(
            opening, self.table.get(keys.thread_key(user, thread_id))
        )
        return self._threads.read(row, user, thread_id), page

    async def read_turn(self, thread_id: str, limit: int, context: Any) -> OpenThread:
        """Everything a turn needs to begin, read in parallel: one round trip's time.

        Raises `NotFoundError` when the thread is unknown, deleted, expired or somebody else's.
        """
        check_page(limit, "desc")
        user = owner(context)
        row, items = await aws.together(
            self.table.get(keys.thread_key(user, thread_id)),
            self._items.read_page(thread_id, None, limit, "desc", user),
        )
        return OpenThread(self._threads.read(row, user, thread_id), items, running_in(row))

    async def begin_run(
        self,
        run: Run,
        context: Any,
        *,
        thread: ThreadMetadata | None = None,
        item: ThreadItem | None = None,
    ) -> None:
        """Claim a run and write what the turn begins with, in one transaction.

        `thread` is created (a fresh id); without it, the run's thread must exist.
        `item`, if any, is added to it, its attachments' records along with it (their
        files must have been checked: `S3AttachmentStore.check_uploaded`), and stands in it
        as it is loaded later: no upload link, a fresh preview. The thread
        moves to the top and names its running run until `run.deadline`.

        Raises, with nothing written: `RunAlreadyStarted` and `RunCancelled`,
        `NotFoundError` when the thread is gone, or a file is in another thread, and
        `ValueError` for more files (some 48) than fit into a transaction.

        One transaction: the run, the thread (a new one has two rows), the item, two rows for
        each file. An upload comes before it when the item's body is over some 150 KB compressed.
        """
        user = owner(context)
        actions = [claim_action(run, user)]
        attachments = {each.id: each for each in getattr(item, "attachments", [])}.values()
        if thread is not None:
            actions += self._threads.create(thread, user, marker(run))
        else:
            moment = item.created_at if item else datetime.now(UTC)
            touch = self._threads.touch(run.thread_id, user, moment, marker(run))
            actions.append({"Update": touch})
        records = [put for each in attachments for put in self._attachments.puts(each, user)]
        files_from = len(actions) + (item is not None)
        if files_from + len(records) > ACTIONS:
            raise ValueError(f"{len(attachments)} files are more than one message can carry")
        update: dict[str, Any] = {}
        if item is not None:
            update, _ = await self._items.write(run.thread_id, item, user)
            actions.append({"Update": update})
        try:
            await self.table.transact([*actions, *records])
        except ConditionFailed as refused:
            first = refused.rows.get(0, {}).get("thread", {}).get("S")
            if first != run.thread_id:  # else it may be this very message that is there
                await self._items.withdraw(update)
            if 0 in refused.failed:
                raise claim_error(run, refused.rows.get(0)) from None
            if refused.failed and min(refused.failed) >= files_from:
                raise NotFoundError(ELSEWHERE) from None
            raise NotFoundError(f"Thread {run.thread_id} not found") from None
        if thread is not None:
            self._threads.remember(thread, user)
        for attachment in getattr(item, "attachments", []):
            await self._attachments.settle(attachment, user)

    async def delete_user(self, user_id: str) -> None:
        """Remove everything of a user: threads, items, files, records, runs, counters.

        What is begun and breaks off is finished by calling it again, and so is whatever
        `delete_thread` began. Tombstones, which hold ids and nothing else, go by themselves
        a day later. A thread that TTL took, in a store with no stream, is left to a sweep.

        An answer that is still running may write a few rows again: its run's and a counter,
        which expire by themselves within two days; an object, which goes with the tombstone or
        in a sweep; a record that a tool puts, or a thread that was just begun, which stay. To
        be rid of all of these, call it again once no answer can run any more.

        For each thread what `delete_thread` costs with `purge="now"`; then a query a megabyte
        of the user's own rows, a write for each 25, two requests for each 1,000 objects, and
        some ten more.
        """
        await self._people.delete(named(user_id))

    def export_user(self, user_id: str) -> AsyncIterator[dict[str, Any]]:
        """Everything of a user as JSON-able dicts, each with a `type`: `thread`, `item`,
        `feedback`, `attachment` (with a signed `url` for the bytes; `None` where there are
        none), `record` and `recording` (a signed `url`: speech that was uploaded and not heard
        yet). Images in items are linked as in items that are loaded; links live an hour.

        Read page by page, each consistent by itself; what has expired is left out, and so is,
        with a warning, what cannot be read here. A query a megabyte and one a thread, a request
        to S3 for each large body and for each 1,000 recordings, and one or two for each file.
        """
        return self._people.export(named(user_id))

    async def sweep(self) -> Swept:
        """Remove rows and objects that nothing points to, and finish deletions that broke off.
        Reads the whole table: see `sweep`.
        """
        return await sweep(self.table, self.bucket, self._purge)
