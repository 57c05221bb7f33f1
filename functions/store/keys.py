"""How names become keys: of rows in the table and of objects in the bucket.

A key part is percent-encoded, so `#` and `/` only ever separate parts, and one
that would be long is digested: a sort key holds 1,024 bytes, and a model may
invent an id of any length. The user is in every partition key, so an id that
belongs to somebody else is simply not found.
"""

import re
from datetime import UTC, datetime
from typing import Any, Final

from ..aws.keys import part

_STAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_STAMP_LENGTH: Final = 27

THREAD: Final = "THREAD#"
ITEM: Final = "ITEM#"
ATTACHMENT: Final = "ATT#"
RUN: Final = "RUN#"
RECORD: Final = "REC#"
FEEDBACK: Final = "FB#"
GONE: Final = "GONE#"
TOMBSTONE: Final = "TOMBSTONE"
HEAD: Final = "HEAD"
END_OF_ITEMS: Final = "}"
HEAD_POSITION: Final = "~"
"""Behind every item's position, which begins with a year: a query backwards meets the head first,
and one that is after items alone ends before it.
"""

Value = dict[str, Any]
Key = dict[str, Value]


def user_partition(user: str) -> str:
    return f"U#{user}"


def quota_partition(user: str) -> str:
    return f"Q#{user}"


def thread_partition(user: str, thread_id: str) -> str:
    return f"U#{user}#T#{part(thread_id)}"


def key(partition: str, sort: str) -> Key:
    return {"pk": {"S": partition}, "sk": {"S": sort}}


def thread_key(user: str, thread_id: str) -> Key:
    return key(user_partition(user), THREAD + part(thread_id))


def item_key(user: str, thread_id: str, item_id: str) -> Key:
    return key(thread_partition(user, thread_id), ITEM + part(item_id))


def attachment_key(user: str, attachment_id: str) -> Key:
    return key(user_partition(user), ATTACHMENT + part(attachment_id))


def attachment_link_key(user: str, thread_id: str, attachment_id: str) -> Key:
    """The row in a thread's partition that says which attachments its messages carry."""
    return key(thread_partition(user, thread_id), ATTACHMENT + part(attachment_id))


def tombstone_key(user: str, thread_id: str) -> Key:
    return key(thread_partition(user, thread_id), TOMBSTONE)


def gone_key(user: str, thread_id: str) -> Key:
    """The row among the user's own that says a deleted thread may have rows or objects left."""
    return key(user_partition(user), GONE + part(thread_id))


def head_key(user: str, thread_id: str) -> Key:
    """The thread's copy of its own fields, among its items."""
    return key(thread_partition(user, thread_id), HEAD)


def run_key(user: str, run_id: str) -> Key:
    return key(user_partition(user), RUN + part(run_id))


def stamp(moment: datetime) -> str:
    """A moment as UTC text that sorts by time, to the microsecond.

    A naive moment is local time, as `datetime.now()` makes it.
    """
    try:
        utc = moment.astimezone(UTC)
    except (OverflowError, ValueError):  # within a day of year 1 or 9999
        utc = moment.replace(tzinfo=UTC)
    return utc.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def position(moment_stamp: str, name: str) -> str:
    """Where a row stands in its list: by time, ties by id, never two at one place."""
    return f"{moment_stamp}#{part(name)}"


def cursor(row_position: str, thread_id: str) -> str:
    """A cursor that names a thread and where it stood when it was listed."""
    return f"{row_position[:_STAMP_LENGTH]}@{thread_id}"


def read_cursor(text: str) -> str | None:
    """The position that a `cursor` carries; `None` for a bare thread id."""
    if _STAMP.match(text) and text[_STAMP_LENGTH : _STAMP_LENGTH + 1] == "@":
        return position(text[:_STAMP_LENGTH], text[_STAMP_LENGTH + 1 :])
    return None
