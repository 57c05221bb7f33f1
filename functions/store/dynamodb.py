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
from ..aws.keys import named, owner_by
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
from .sweep import Sweep, Swept
from .table import MAX_ACTIONS, ConditionFailed, Table
from .threads import Threads


@dataclass(frozen=True)
class OpenThread:
    """A thread, its newest items (newest first), and the run that is answering it now, if any."""

    thread: ThreadMetadata
    items: Page[ThreadItem]
    running: Running | None


class DynamoDBStore(Store[Any]):
    """ChatKit's threads, items and attachment records. Each belongs to the context's user.

    `table_name` is the table's name, or a `Table`; `bucket` is the bucket's name, or a `Bucket`.
    `client` and `s3_client` are boto3 clients, for names; by default the process's own.
    `owner` says whose a context is, as a text; by default its attribute or key `user_id`.

    - Invalid input, also a context without a user, raises `ValueError`. What does not exist or
      belongs to another user raises `NotFoundError`. In both cases nothing is changed.
    - A page leaves out rows that this version cannot read, and logs a warning.
    - Reads are strongly consistent. Every write is atomic.
    - A write to a thread that was deleted, or never saved, raises `NotFoundError`.
    - Saving a thread writes the fields that changed since this instance was loaded or saved,
      and merges `metadata` by top-level key. It does not move the thread in the list. A
      thread that this store did not load is written whole.
    - Threads are listed by last activity: the last item written, or their creation. Their
      cursor is opaque.
    - Items are listed by `created_at`; equal ones in the order in which they were first written.
      An item keeps its position when it is saved again. Their cursor `after` is the id of the
      page's last item.
    - With a bucket, items may have any size, and links to its objects are signed on each load.
      Without one, an item over some 150 KB compressed raises `TooLargeError`. Such an item that
      another store wrote is left out of pages, and `load_item` raises `NoBucketError` for it.
    - `retention_days`: a thread is removed with everything in it this many days after its last
      activity. `None`: never.
    - `purge`: with `"now"`, `delete_thread` removes the thread's items before it returns. With
      `"stream"`, they stay, invisible, until `purge_deleted` handles the table's stream.

    An error of AWS is raised as botocore's exception, after the retries of `functions.aws.clients`.
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
        owner: Callable[[Any], str] | None = None,
    ) -> None:
        if purge not in ("now", "stream"):
            raise ValueError(f"purge is 'now' or 'stream', not {purge!r}")
        if retention_days is not None and (type(retention_days) is not int or retention_days < 1):
            raise ValueError(f"retention_days is a whole number from 1, not {retention_days!r}")
        self.table = table_name if isinstance(table_name, Table) else Table(table_name, client)
        self.bucket = Bucket(bucket, s3_client) if isinstance(bucket, str) else bucket
        self._owner = owner_by(owner)
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
        context: Any,  # noqa: ARG002 - the SDK calls it so
    ) -> str:
        return new_id(item_type)

    async def load_thread(self, thread_id: str, context: Any) -> ThreadMetadata:
        """One read of the thread's row.

        A status that only a newer version knows is returned as locked. A thread that this version
        cannot read raises `NotFoundError`, and `load_threads` leaves it out.
        """
        return await self._threads.load(thread_id, self._owner(context))

    async def save_thread(self, thread: ThreadMetadata, context: Any) -> None:
        """Write what changed: one transaction of the thread's row and its head, none when nothing
        changed, and a read before it for over 50 changes.

        A thread that this store did not load is written whole: one transaction, and a second one
        when it exists. If an earlier thread with this id was deleted and not purged, it is purged
        first (see `delete_thread`).

        A `Thread` (with `items`) is different, because the SDK saves a copy of a new one and later
        saves the `Thread` itself. If the thread exists and this store has no snapshot of it, only
        the fields that differ from an empty thread are written. If it was deleted, this raises
        `NotFoundError`.
        """
        user = self._owner(context)
        while not await self._threads.save(thread, user):
            # This id belonged to a thread that was deleted or expired and is not purged yet.
            await self._threads.delete_expired(thread.id, user)
            await self._purge.thread(keys.thread_partition(user, thread.id))
            if await self._threads.revive(thread, user):
                return

    async def name_thread(self, thread: ThreadMetadata, title: str, context: Any) -> None:
        """Give a thread a title, unless the stored thread has one, and set `thread.title` to the
        stored title. Saving `thread` later does not write the title again.

        One transaction of the thread's row and its head. Raises `NotFoundError` when the thread
        is deleted.
        """
        await self._threads.name(thread, title, self._owner(context))

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: Any
    ) -> Page[ThreadMetadata]:
        """One query of `limit` + 1 rows, however many threads there are.

        Newest first, a thread that moves to the top between two pages neither repeats nor hides
        another one. If its page was not read yet, it is on none of the following pages, and on
        the first page when that is read again.
        """
        check_page(limit, order, after)
        return await self._threads.page(limit, after, order, self._owner(context))

    async def delete_thread(self, thread_id: str, context: Any) -> None:
        """Delete a thread; unknown ids are fine. Nothing of it can be read when this returns.

        One transaction. With `purge="now"` its rows and objects are removed too: one query for
        each megabyte, one write for each 25 rows and one read for each 200, three requests for
        each file, two for each 1,000 objects, and four more. If this fails, call it again.
        """
        user = self._owner(context)
        await self._threads.delete(thread_id, user)
        if self._purge_now:
            # Also when the thread was deleted before: its purge may have failed.
            await self._purge.thread(keys.thread_partition(user, thread_id))

    async def purge_deleted(self, records: Iterable[dict[str, Any]]) -> list[str]:
        """Handle records of the table's stream; returns the sequence numbers of failed ones.

        `records` have the shape of a Lambda event's `Records`. A handler returns the numbers as
        `batchItemFailures`, and Lambda sends those records again. Handling a record twice is safe.
        Each failure is logged. A deleted thread costs what `delete_thread` says.
        """
        return await self._purge.records(records)

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: Any
    ) -> Page[ThreadItem]:
        """One page; empty for an unknown thread.

        One query of `limit` + 1 rows, and in parallel a read of the thread's row, however long the
        thread is. If another process returned `after`, one more read comes first. A query reads a
        megabyte at most. Bodies in S3 are one request each, in parallel. The id of a deleted item
        can be `after` for a day; then it raises `NotFoundError`.
        """
        check_page(limit, order, after)
        return await self._items.page(thread_id, after, limit, order, self._owner(context))

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: Any) -> None:
        """Upsert an item and move its thread to the top, in one transaction of two rows.

        A body over some 150 KB compressed, and a generated image that comes as a data URL, are
        uploaded first. If the replaced body is in S3, a second transaction and a removal follow.

        Raises `NotFoundError` when the thread was deleted or never saved. Then nothing is stored,
        except the bytes of a generated image that came as a data URL, which a sweep removes.
        """
        await self._items.save(thread_id, item, self._owner(context))

    async def save_item(self, thread_id: str, item: ThreadItem, context: Any) -> None:
        """The same as `add_thread_item`."""
        await self._items.save(thread_id, item, self._owner(context))

    async def load_item(self, thread_id: str, item_id: str, context: Any) -> ThreadItem:
        """One request for the item and its thread, and one to S3 for a large body.

        Raises `NotFoundError` also for an item that this version cannot read, and `NoBucketError`
        when the body is in S3 and this store has no bucket.
        """
        return (await self._items.load(thread_id, item_id, self._owner(context)))[0]

    async def load_item_versioned(
        self, thread_id: str, item_id: str, context: Any
    ) -> tuple[ThreadItem, str]:
        """An item and its version, for `save_item_if`. Costs and errors as for `load_item`."""
        return await self._items.load(thread_id, item_id, self._owner(context))

    async def save_item_if(
        self, thread_id: str, item: ThreadItem, context: Any, *, expected: str
    ) -> str:
        """Save an item if its stored version is `expected`; returns the new version.

        Raises `Conflict` when the item was changed or deleted meanwhile, and `NotFoundError` when
        the thread was deleted. In both cases nothing is changed, and an uploaded body is removed
        again. Costs as for `add_thread_item`.
        """
        if not isinstance(expected, str):
            raise ValueError(f"a version is text, not {type(expected).__name__}")  # noqa: TRY004
        return await self._items.save(thread_id, item, self._owner(context), expected=expected)

    async def delete_thread_item(self, thread_id: str, item_id: str, context: Any) -> None:
        """Remove an item and its feedback; unknown ids are fine.

        One transaction of two rows. If the item has a body or an image in S3, a second transaction
        and their removal follow.
        """
        await self._items.delete(thread_id, item_id, self._owner(context))

    async def save_attachment(self, attachment: Attachment, context: Any) -> None:
        """Upsert a record. With a `thread_id` and a bucket, the file is checked and kept first.

        Raises `AttachmentError` when the file was not uploaded or is not what it claims to be.
        Raises `NotFoundError` when the thread was deleted or has expired (with a retention also
        when it was never saved), and when the file belongs to another thread.

        One write. With a `thread_id`, three or four requests to S3 and then one transaction: the
        record, its link row in the thread, and checks of the thread and its tombstone.
        """
        await self._attachments.save(attachment, self._owner(context))

    async def load_attachment(self, attachment_id: str, context: Any) -> Attachment:
        """An attachment with newly signed links. One read; two for a file that was sent.

        Raises `NotFoundError` when its thread was deleted or has expired, and, with a warning in
        the log, for a record that this version cannot read.
        """
        return await self._attachments.load(attachment_id, self._owner(context))

    async def delete_attachment(self, attachment_id: str, context: Any) -> None:
        """Remove the record; unknown ids are fine. The attachment store removes the bytes.

        One write.
        """
        await self._attachments.delete(attachment_id, self._owner(context))

    async def save_feedback(
        self,
        thread_id: str,
        item_ids: list[str],
        kind: FeedbackKind | None,
        context: Any,
        *,
        at: datetime | None = None,
    ) -> None:
        """Mark items as liked or disliked. A new mark replaces the old one, `None` removes it.

        `at` is when they were marked, where that was earlier.

        One transaction for each 49 items. Raises `NotFoundError` when the thread or an item is
        unknown; then no item of that transaction is marked.
        """
        moment = at or datetime.now(UTC)
        await self._feedback.save(thread_id, item_ids, kind, self._owner(context), moment)

    async def load_feedback(self, thread_id: str, context: Any) -> list[Mark]:
        """All marks in a thread; empty for an unknown thread.

        One query, and in parallel a read of the thread's row.
        """
        return await self._feedback.load(thread_id, self._owner(context))

    async def open_turn(
        self, thread_id: str, limit: int, context: Any
    ) -> tuple[ThreadMetadata, Callable[[], Coroutine[Any, Any, Page[ThreadItem]]]]:
        """A thread, and a function that returns the page of its newest items, newest first.

        One query reads both; the function makes one request to S3 for each large body. With a
        retention, the thread's own row is read in parallel, because only that holds its expiry.

        Raises `NotFoundError` when the thread is unknown, deleted, expired or another user's. (If
        a thread expires after the retention was turned off, only `begin_run` finds out.)
        """
        check_page(limit, "desc")
        user = self._owner(context)
        opening = self._items.open(thread_id, limit, user)
        if not self._threads.retention_seconds:
            head, page = await opening
            return self._threads.read(head, user, thread_id), page
        (_, page), row = await aws.together(
            opening, self.table.get(keys.thread_key(user, thread_id))
        )
        return self._threads.read(row, user, thread_id), page

    async def read_turn(self, thread_id: str, limit: int, context: Any) -> OpenThread:
        """A thread, its newest items and its run, read in parallel: the time of one round trip.

        Raises `NotFoundError` when the thread is unknown, deleted, expired or another user's.
        """
        check_page(limit, "desc")
        user = self._owner(context)
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
        """Claim a run and write the thread and the message that it starts with, in one transaction.

        `thread`, which must have a new id, is created; without it, the run's thread must exist.
        `item` is added to the thread, with the records of its attachments, whose files must have
        been checked (`S3AttachmentStore.check_uploaded`). Its attachments are changed in place to
        what a load returns: no upload link, a new preview. The thread moves to the top and names
        the run until `run.deadline`.

        Raises `RunAlreadyStarted` and `RunCancelled`, `NotFoundError` when the thread is deleted
        or a file belongs to another thread, and `ValueError` for more files than fit into a
        transaction (some 48). In all these cases nothing is written.

        The transaction writes the run, the thread (two rows for a new one), the item, and two rows
        for each file. A body over some 150 KB compressed is uploaded first.
        """
        user = self._owner(context)
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
        if files_from + len(records) > MAX_ACTIONS:
            raise ValueError(f"{len(attachments)} files are more than one message can carry")
        update: dict[str, Any] = {}
        if item is not None:
            update, _ = await self._items.write(run.thread_id, item, user)
            actions.append({"Update": update})
        try:
            await self.table.transact([*actions, *records])
        except ConditionFailed as failure:
            claimed = failure.rows.get(0, {})
            # A claim in the same thread may be this request, sent twice: its body is in use.
            if claimed.get("thread", {}).get("S") != run.thread_id:
                await self._items.withdraw(update)
            if 0 in failure.failed:
                raise claim_error(run, failure.rows.get(0)) from None
            if failure.failed and min(failure.failed) >= files_from:
                raise NotFoundError(ELSEWHERE) from None
            raise NotFoundError(f"Thread {run.thread_id} not found") from None
        if thread is not None:
            self._threads.remember(thread, user)
        for attachment in getattr(item, "attachments", []):
            await self._attachments.settle(attachment, user)

    async def delete_user(self, user_id: str) -> None:
        """Remove everything of a user: threads, items, files, records, runs.

        Answers that are being written are asked to stop, and waited for 5 s. If this fails, call it
        again; that also finishes purges which `delete_thread` left.

        What stays: tombstones, which hold only ids, expire a day later. The user's counters, which
        are numbers, expire two days after their last use, or limits could be reset by deleting
        oneself. The time of a sign-out everywhere expires after 401 days (see `Sessions`). Without
        a stream, the rest of a thread that TTL removed is left to a sweep.

        An answer that has not stopped may write again: its run, which expires within two days; an
        object, which is removed when the tombstone expires or by a sweep; a record of a tool or a
        new thread, which stay. To remove these, call this again once no answer can be running.

        Costs, for each thread, what `delete_thread` costs with `purge="now"`; then one query for
        each megabyte of the user's own rows, one write for each 25, two requests for each 1,000
        objects, and some ten more.
        """
        await self._people.delete(named(user_id))

    def export_user(self, user_id: str) -> AsyncIterator[dict[str, Any]]:
        """Everything of a user as dicts that JSON can hold, each with a `type`: `thread`, `item`,
        `feedback`, `attachment` (with a signed `url` of its bytes, or `None` when there are none),
        `record` (with a `thread_id` when it is of a thread), `run` (what is kept of a run that has
        ended), `counters` (what was used, by limit and end of its window), and `recording` (with a
        signed `url`: a recording that is not transcribed yet). Images in items have signed links
        too. Links are valid for an hour.

        A thread's items follow it in their order. Each page is consistent in itself. Expired rows
        are left out, and so are, with a warning in the log, rows that this version cannot read.
        Costs one query for each megabyte and three for each thread, a request to S3 for each large
        body and for each 1,000 recordings, and one or two for each file.
        """
        return self._people.export(named(user_id))

    async def user_partitions(self, user_id: str) -> set[str]:
        """The partitions that a user's rows lie in, as far as rows of theirs name them.

        One query for each megabyte of the user's own rows.
        """
        return await self._people.partitions(named(user_id))

    async def sweep(self, seconds: float = 86_400) -> Swept:
        """Remove rows and objects that nothing points to, and finish interrupted deletions.

        Reads the whole table and lists the whole bucket, some 2,000 rows a second at most. After so
        many seconds it stops, and the next call goes on. Raises `BusyError` while another one is at
        work: see `functions.store.sweep`. In a stage of the stack a function does this.
        """
        return await Sweep(self.table, self.bucket, self._purge).run(seconds)
