"""Small JSON documents of the assistant, one for each kind and user or thread, with optimistic
locking.
"""

import json
from secrets import token_hex
from typing import Any, Final

from chatkit.store import NotFoundError

from ..aws.keys import owner, part
from . import keys
from .expiry import EXISTS, now_value
from .items import Conflict
from .table import ConditionFailed, Row, Table

MAX_BYTES: Final = 350_000
"""Bytes of a document as JSON. A DynamoDB row holds 400 KB, its attribute names included."""


class Records:
    """`get` a document with its version, then `put` it back with that version.

    One request each. A context needs `user_id`. With a `thread_id` the documents are the thread's,
    and are deleted, exported and expire with it.
    """

    def __init__(self, table: Table, thread_id: str | None = None) -> None:
        self.table = table
        self._thread_id = thread_id

    def of_thread(self, thread_id: str) -> "Records":
        """The documents of one thread."""
        return Records(self.table, thread_id)

    async def get(self, kind: str, context: Any) -> tuple[Any | None, int]:
        """The document of a kind, and its version; `(None, 0)` when there is none."""
        row = await self.table.get(self._key(kind, owner(context)))
        if row is None:
            return None, 0
        return json.loads(row["body"]["S"]), int(row["version"]["N"])

    async def put(self, kind: str, value: Any, context: Any, *, version: int) -> int:
        """Replace the document of this `version`; returns the new version.

        Version 0 means that there is no document yet. Raises `Conflict` when the stored document
        has another version, `NotFoundError` when the thread does not exist, and `ValueError` or
        `TypeError` when `value` cannot be JSON or is too large. In all these cases nothing is
        stored.
        """
        body = json.dumps(value, ensure_ascii=False, allow_nan=False)
        if len(body.encode()) > MAX_BYTES:
            raise ValueError(f"a record of kind {kind!r} is over {MAX_BYTES} bytes")
        user = owner(context)
        row: Row = {
            **self._key(kind, user),
            "kind": {"S": kind},
            "body": {"S": body},
            "version": {"N": str(version + 1)},
            # Two requests may write the same, and only one of them may succeed.
            "written_by": {"S": token_hex(8)},
        }
        condition: dict[str, Any] = {
            "ConditionExpression": "attribute_not_exists(#version)",
            "ExpressionAttributeNames": {"#version": "version"},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if version:
            condition |= {
                "ConditionExpression": "#version = :version",
                "ExpressionAttributeValues": {":version": {"N": str(version)}},
            }
        try:
            await self._write(row, condition, user)
        except ConditionFailed as failure:
            # This very row is stored: the first answer was lost, and botocore sent it again.
            if failure.rows.get(0) == row:
                return version + 1
            if 1 in failure.failed:
                raise NotFoundError(f"Thread {self._thread_id} not found") from None
            raise Conflict(f"the {kind!r} record is no longer at version {version}") from None
        return version + 1

    async def _write(self, row: Row, condition: dict[str, Any], user: str) -> None:
        if self._thread_id is None:
            await self.table.put(row, **condition)
            return
        # A thread that is deleted at the same time must not leave a row behind. This update changes
        # nothing: the second function, which writes records too, has no right to check a condition.
        thread_exists = {
            "Key": keys.thread_key(user, self._thread_id),
            "UpdateExpression": "SET #id = :id",
            "ConditionExpression": EXISTS,
            "ExpressionAttributeNames": {"#id": "id"},
            "ExpressionAttributeValues": {":id": {"S": self._thread_id}, ":now": now_value()},
        }
        await self.table.transact([{"Put": {"Item": row, **condition}}, {"Update": thread_exists}])

    def _key(self, kind: str, user: str) -> keys.Key:
        partition = (
            keys.user_partition(user)
            if self._thread_id is None
            else keys.thread_partition(user, self._thread_id)
        )
        return keys.key(partition, keys.RECORD + part(kind))
