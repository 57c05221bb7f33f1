"""Keys of the table's rows.

`functions.aws.keys` encodes each part of a key, so `#` only separates parts. The user is in every
partition key, so a lookup by the id of another user's row finds nothing.
"""

import re
from datetime import UTC, datetime
from typing import Any, Final

from ..aws.ids import tick
from ..aws.keys import part

_STAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_STAMP_LENGTH: Final = 27

USER: Final = "U#"
"""The prefix of a user's partitions, except that of their counters."""
THREAD: Final = "THREAD#"
ITEM: Final = "ITEM#"
AFTER_ITEMS: Final = "ITEM$"
"""Sorts after the sort key of every item."""
ATTACHMENT: Final = "ATT#"
RUN: Final = "RUN#"
ENDED: Final = "ENDED#"
RECORD: Final = "REC#"
FEEDBACK: Final = "FB#"
GONE: Final = "GONE#"
SIGNED_OUT: Final = "SIGNED_OUT"
DELETED: Final = "DELETED"
COUNTERS: Final = "COUNTERS"
DOCUMENT: Final = "DOC#"
KNOWLEDGE: Final = "K#"
"""The prefix of the partitions of documents: one for each tenant, and one for those of nobody."""
SHARED: Final = "L#"
"""The prefix of the partitions that belong to nobody: counters that several people share."""
SCHEMA: Final = "SCHEMA"
"""The partition of the table's version, which belongs to nobody."""
SWEEP: Final = "SWEEP"
"""The partition of the sweep, which belongs to nobody."""
TOTALS: Final = "S#"
"""The prefix of the partitions with totals, which belong to nobody and name nobody."""
TOMBSTONE: Final = "TOMBSTONE"
HEAD: Final = "HEAD"
END_OF_ITEMS: Final = "}"
HEAD_POSITION: Final = "~"
"""Sorts after every item's position, which begins with a year. So a query backwards finds the head
first, and a query for items alone ends at `END_OF_ITEMS`."""

Value = dict[str, Any]
Key = dict[str, Value]


def user_partition(user: str) -> str:
    return f"{USER}{user}"


def counters_partition(user: str) -> str:
    return f"Q#{user}"


def user_of(partition: str) -> str:
    """The user whom a partition belongs to, as its key part."""
    return partition.split("#")[1]


def thread_partition(user: str, thread_id: str) -> str:
    return f"U#{user}#T#{part(thread_id)}"


def key(partition: str, sort: str) -> Key:
    return {"pk": {"S": partition}, "sk": {"S": sort}}


def thread_key(user: str, thread_id: str) -> Key:
    return key(user_partition(user), THREAD + part(thread_id))


def thread_of(partition: str) -> Key:
    """The row of the thread that a partition belongs to."""
    user_pk, _, name = partition.rpartition("#T#")
    return key(user_pk, THREAD + name)


def item_key(user: str, thread_id: str, item_id: str) -> Key:
    return key(thread_partition(user, thread_id), ITEM + part(item_id))


def attachment_key(user: str, attachment_id: str) -> Key:
    return key(user_partition(user), ATTACHMENT + part(attachment_id))


def attachment_link_key(user: str, thread_id: str, attachment_id: str) -> Key:
    """The row in a thread's partition that links to an attachment of one of its messages."""
    return key(thread_partition(user, thread_id), ATTACHMENT + part(attachment_id))


def tombstone_key(user: str, thread_id: str) -> Key:
    return key(thread_partition(user, thread_id), TOMBSTONE)


def gone_key(user: str, thread_id: str) -> Key:
    """The row in the user's partition that says: this deleted thread has yet to be purged."""
    return key(user_partition(user), GONE + part(thread_id))


def head_key(user: str, thread_id: str) -> Key:
    """The copy of a thread's fields in the partition of its items."""
    return key(thread_partition(user, thread_id), HEAD)


def run_key(user: str, run_id: str) -> Key:
    return key(user_partition(user), RUN + part(run_id))


def ended_run_key(user: str, thread_id: str, run_id: str) -> Key:
    """The row with the record of a run that has ended."""
    return key(thread_partition(user, thread_id), ENDED + part(run_id))


def counters_key(user: str) -> Key:
    """The row that counts what the user has used."""
    return key(counters_partition(user), COUNTERS)


def shared_counters_key(scope: str, name: str) -> Key:
    """The row that counts what a tenant, a network or the stage has used. `name` is a key part."""
    return key(f"{SHARED}{scope}#{name}", COUNTERS)


def documents_partition(tenant: str | None) -> str:
    """The documents of a tenant (a key part), or with `None` those of nobody.

    `-` cannot be nobody's name here, because a tenant may have it. No key part has an `@`.
    """
    return f"{KNOWLEDGE}{'@' if tenant is None else tenant}"


def document_key(tenant: str | None, document_id: str) -> Key:
    """The row with the state of a document."""
    return key(documents_partition(tenant), DOCUMENT + document_id)


def totals_partition(month: str) -> str:
    """The totals of a month, such as `2026-11`."""
    return f"{TOTALS}{month}"


def counted_key(mark: str) -> Key:
    """The row that says that something has been counted. `mark` is a key part."""
    return key(f"{TOTALS}COUNTED#{mark}", "COUNTED")


def deleted_key(user: str) -> Key:
    """The row that says that everything of the user was deleted. It is removed at once."""
    return key(user_partition(user), DELETED)


def signed_out_key(user: str) -> Key:
    """The row that says when the user signed out everywhere."""
    return key(user_partition(user), SIGNED_OUT)


def stamp(moment: datetime) -> str:
    """A moment as UTC text with microseconds, which sorts by time.

    A naive moment counts as local time, because the SDK uses `datetime.now()`.
    """
    try:
        utc = moment.astimezone(UTC)
    except (OverflowError, ValueError):  # within a day of year 1 or 9999
        utc = moment.replace(tzinfo=UTC)
    return utc.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def position(moment_stamp: str, name: str) -> str:
    """A thread's position in its list: by time, then by id, so that no two are equal."""
    return f"{moment_stamp}#{part(name)}"


def item_position(created_at: datetime, item_id: str) -> str:
    """The position of an item that is written for the first time: by creation, then by now.

    So items with the same `created_at` keep the order in which they were first written. The id
    only keeps two positions from being equal.

    "Now" is the time on this machine, and always later than before in this process. So the order is
    exact for the items that one process writes, as an answer or an import does. Where two machines
    write items with the same `created_at`, the order is as exact as their clocks. A number that the
    thread counts would be exact there, too, but a transaction cannot read it and write it into
    another row: each write would need a read before it, and a second attempt when two writes meet.

    Version 0.1 stored items at the positions that `position` makes. These stay valid and in their
    order: `$` sorts after `#`, so new items come after old ones with the same `created_at`.
    """
    return f"{stamp(created_at)}${tick():016x}#{part(item_id)}"


def cursor(row_position: str, thread_id: str) -> str:
    """A cursor with a thread's id and its time in the list when the page was read."""
    return f"{row_position[:_STAMP_LENGTH]}@{thread_id}"


def read_cursor(text: str) -> str | None:
    """The position in a `cursor`; `None` for a plain thread id."""
    if _STAMP.match(text) and text[_STAMP_LENGTH : _STAMP_LENGTH + 1] == "@":
        return position(text[:_STAMP_LENGTH], text[_STAMP_LENGTH + 1 :])
    return None
