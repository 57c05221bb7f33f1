"""Small JSON documents of the assistant, one for each kind and user, with optimistic locking."""

import json
from typing import Any, Final

from ..aws.keys import owner, part
from . import keys
from .items import Conflict
from .table import ConditionFailed, Row, Table

MAX_BYTES: Final = 350_000
"""Bytes of a document as JSON. A DynamoDB row holds 400 KB, its attribute names included."""


class Records:
    """`get` a document with its version, then `put` it back with that version.

    One request each. A context needs `user_id`.
    """

    def __init__(self, table: Table) -> None:
        self.table = table

    async def get(self, kind: str, context: Any) -> tuple[Any | None, int]:
        """The user's document of a kind, and its version; `(None, 0)` when there is none."""
        row = await self.table.get(_key(kind, owner(context)))
        if row is None:
            return None, 0
        return json.loads(row["body"]["S"]), int(row["version"]["N"])

    async def put(self, kind: str, value: Any, context: Any, *, version: int) -> int:
        """Replace the document of this `version`; returns the new version.

        Version 0 means that there is no document yet. Raises `Conflict` when the stored document
        has another version, and `ValueError` or `TypeError` when `value` cannot be JSON or is too
        large. In all these cases nothing is stored.
        """
        body = json.dumps(value, ensure_ascii=False, allow_nan=False)
        if len(body.encode()) > MAX_BYTES:
            raise ValueError(f"a record of kind {kind!r} is over {MAX_BYTES} bytes")
        row: Row = {
            **_key(kind, owner(context)),
            "kind": {"S": kind},
            "body": {"S": body},
            "version": {"N": str(version + 1)},
        }
        try:
            await self.table.put(
                row,
                ConditionExpression="#version = :version"
                if version
                else "attribute_not_exists(#version)",
                ExpressionAttributeNames={"#version": "version"},
                **(
                    {"ExpressionAttributeValues": {":version": {"N": str(version)}}}
                    if version
                    else {}
                ),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ConditionFailed as failure:
            # The first answer was lost and botocore sent the request again: it is stored.
            if failure.rows.get(0) == row:
                return version + 1
            raise Conflict(f"the {kind!r} record is no longer at version {version}") from None
        return version + 1


def _key(kind: str, user: str) -> keys.Key:
    return keys.key(keys.user_partition(user), keys.RECORD + part(kind))
