"""ChatKit's `Store` in the memory of one process, for tests and first steps."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chatkit.store import NotFoundError, Store, StoreItemType
from chatkit.types import Attachment, FeedbackKind, Page, Thread, ThreadItem, ThreadMetadata

from ..aws.ids import new_id
from ..aws.keys import owner_by, part
from . import attachment_records, codec, keys
from .attachment_records import ELSEWHERE
from .feedback import Mark, check_marks
from .links import Links
from .paging import check_page
from .snapshots import Snapshot, Snapshots

_LINKS = Links(None)


@dataclass
class _Thread:
    """A thread, and what is in it by the key parts of items' ids."""

    snapshot: Snapshot
    id: str
    position: str
    items: dict[str, tuple[bytes, dict[str, Any]]] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    """The positions of items, also of deleted ones, whose ids may be cursors."""
    marks: dict[str, Mark] = field(default_factory=dict)


@dataclass
class _Person:
    """What one user owns, by the key parts of ids."""

    threads: dict[str, _Thread] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    """Deleted threads: an answer that is still streaming must not bring one back."""
    attachments: dict[str, Attachment] = field(default_factory=dict)


class MemoryStore(Store[Any]):
    """Threads, items, attachment records and feedback, in this process and gone with it.

    It does what `DynamoDBStore` does: whose a context is (`owner`), what invalid input and unknown
    ids raise, order, pages and cursors, and saves that write only what changed. It has no files and
    no runs. Items and pages may have any size, and nothing expires.
    """

    def __init__(self, *, owner: Callable[[Any], str] | None = None) -> None:
        self._owner = owner_by(owner)
        self._people: dict[str, _Person] = {}
        self._snapshots = Snapshots()

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
        return self._read(self._thread(thread_id, context), context)

    async def save_thread(self, thread: ThreadMetadata, context: Any) -> None:
        """Save what changed, or a new thread: see `DynamoDBStore.save_thread`."""
        user, person = self._owner(context), self._person(context)
        snapshot = Snapshot.checked(thread)
        before = self._snapshots.find(thread, user)
        name = part(thread.id)
        stored = person.threads.get(name)
        if before is None and stored is not None and isinstance(thread, Thread):
            before = Snapshot.blank(thread)
        if before is not None:
            changes = before.changes(snapshot)
            if changes and stored is None:
                raise NotFoundError(f"Thread {thread.id} not found")
            if stored is not None:
                stored.snapshot = stored.snapshot.changed(changes)
            self._snapshots.keep(thread, user, snapshot)
            return
        if stored is not None:
            stored.snapshot = snapshot
        elif name in person.deleted and isinstance(thread, Thread):
            raise NotFoundError(f"Thread {thread.id} not found")
        else:
            created = keys.position(keys.stamp(thread.created_at), thread.id)
            person.threads[name] = _Thread(snapshot, thread.id, created)
            person.deleted.discard(name)
            self._people[user] = person
        self._snapshots.created(thread, user, snapshot)

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: Any
    ) -> Page[ThreadMetadata]:
        check_page(limit, order, after)
        person = self._person(context)
        start = None
        if after is not None:
            known = person.threads.get(part(after))
            start = keys.read_cursor(after) or (known.position if known else None)
            if start is None and after:
                raise NotFoundError(f"Thread {after} not found")
        found = _after(start, order, {each.position: each for each in person.threads.values()})
        data = [self._read(each, context) for each in found[:limit]]
        if len(found) <= limit:
            return Page(data=data)
        last = found[limit - 1]
        return Page(data=data, has_more=True, after=keys.cursor(last.position, last.id))

    async def delete_thread(self, thread_id: str, context: Any) -> None:
        """Delete a thread with its items and the records of its files; unknown ids are fine."""
        person = self._person(context)
        name = part(thread_id)
        if person.threads.pop(name, None) is None:
            return
        person.deleted.add(name)
        person.attachments = {
            key: each for key, each in person.attachments.items() if each.thread_id != thread_id
        }

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: Any
    ) -> Page[ThreadItem]:
        check_page(limit, order, after)
        thread = self._person(context).threads.get(part(thread_id))
        if thread is None:
            return Page()
        start = None if after is None else thread.places.get(part(after))
        if start is None and after:
            raise NotFoundError(f"Item {after} not found")
        found = _after(
            start, order, {thread.places[name]: each for name, each in thread.items.items()}
        )
        data = [codec.load(*each) for each in found[:limit]]
        if len(found) <= limit:
            return Page(data=data)
        return Page(data=data, has_more=True, after=data[-1].id)

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: Any) -> None:
        """Upsert an item and move its thread to the top.

        Raises `NotFoundError` when the thread was deleted or never saved.
        """
        stored = _LINKS.unsign_item(item, self._owner(context))
        text, kind = codec.dump(stored)
        codec.check(stored, text, kind)
        thread = self._thread(thread_id, context)
        name = part(item.id)
        if name not in thread.items:
            thread.places[name] = keys.item_position(item.created_at, item.id)
        thread.items[name] = text, kind
        active = max(keys.stamp(item.created_at), keys.stamp(datetime.now(UTC)))
        thread.position = keys.position(active, thread.id)

    async def save_item(self, thread_id: str, item: ThreadItem, context: Any) -> None:
        """The same as `add_thread_item`."""
        await self.add_thread_item(thread_id, item, context)

    async def load_item(self, thread_id: str, item_id: str, context: Any) -> ThreadItem:
        stored = self._thread(thread_id, context).items.get(part(item_id))
        if stored is None:
            raise NotFoundError(f"Item {item_id} not found in thread {thread_id}")
        return codec.load(*stored)

    async def delete_thread_item(self, thread_id: str, item_id: str, context: Any) -> None:
        """Remove an item and its feedback; unknown ids are fine."""
        thread = self._person(context).threads.get(part(thread_id))
        name = part(item_id)
        if thread is not None:
            thread.items.pop(name, None)
            thread.marks.pop(name, None)

    async def save_attachment(self, attachment: Attachment, context: Any) -> None:
        """Upsert a record.

        Raises `NotFoundError` when its thread was deleted, and when it belongs to another thread.
        """
        person = self._person(context)
        body = attachment_records.dump(attachment, _LINKS, self._owner(context))
        name, thread_id = part(attachment.id), attachment.thread_id
        if thread_id is not None:
            earlier = person.attachments.get(name)
            if part(thread_id) in person.deleted:
                raise NotFoundError(f"Thread {thread_id} not found")
            if earlier is not None and earlier.thread_id not in {None, thread_id}:
                raise NotFoundError(ELSEWHERE)
            # As in the table: the SDK puts this instance into the message.
            attachment.upload_descriptor = None
        self._people[self._owner(context)] = person
        person.attachments[name] = attachment_records.ATTACHMENT.validate_json(body)

    async def load_attachment(self, attachment_id: str, context: Any) -> Attachment:
        attachment = self._person(context).attachments.get(part(attachment_id))
        if attachment is None:
            raise NotFoundError(f"Attachment {attachment_id} not found")
        return attachment.model_copy(deep=True)

    async def delete_attachment(self, attachment_id: str, context: Any) -> None:
        """Remove a record; unknown ids are fine."""
        self._person(context).attachments.pop(part(attachment_id), None)

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

        Raises `NotFoundError` when the thread or an item is unknown; then no item is marked.
        """
        unique = check_marks(item_ids, kind)
        thread = self._thread(thread_id, context)
        for item_id in unique:
            if part(item_id) not in thread.items:
                raise NotFoundError(f"Item {item_id} not found in thread {thread_id}")
        for item_id in unique:
            thread.marks.pop(part(item_id), None)
            if kind is not None:
                moment = keys.stamp(at or datetime.now(UTC))
                thread.marks[part(item_id)] = Mark(item_id, kind, moment)

    async def load_feedback(self, thread_id: str, context: Any) -> list[Mark]:
        """All marks in a thread; empty for an unknown thread."""
        thread = self._person(context).threads.get(part(thread_id))
        return [] if thread is None else list(thread.marks.values())

    def _person(self, context: Any) -> _Person:
        return self._people.get(self._owner(context), _Person())

    def _thread(self, thread_id: str, context: Any) -> _Thread:
        thread = self._person(context).threads.get(part(thread_id))
        if thread is None:
            raise NotFoundError(f"Thread {thread_id} not found")
        return thread

    def _read(self, stored: _Thread, context: Any) -> ThreadMetadata:
        thread = stored.snapshot.thread()
        self._snapshots.keep(thread, self._owner(context), Snapshot.of(thread))
        return thread


def _after(start: str | None, order: str, by_position: dict[str, Any]) -> list[Any]:
    """What is listed after position `start` in `order`."""
    listed = sorted(by_position, reverse=order == "desc")
    if start is not None:
        listed = [each for each in listed if (each > start if order == "asc" else each < start)]
    return [by_position[each] for each in listed]
