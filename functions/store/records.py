"""Small JSON documents for the assistant's data, one a kind and user, changed optimistically."""

import json
from typing import Any, Final

from ..aws.keys import owner, part
from . import keys
from .items import Conflict
from .table import ConditionFailed, Row, Table

MAX_BYTES: Final = 350_000
"""Bytes of a document as JSON; DynamoDB holds 400 KB, names included."""


class Records:
    """`get` a document and its version, `put` it back with that version. One request each."""

    def __init__(self, table: Table) -> None:
        self.table = table

    async def get(self, kind: str, context: Any) -> tuple[Any | None, int]:
        """The user's document of a kind, and its version; `(None, 0)` when there is none."""
        row = await self.table.get(_key(kind, owner(context)))
        if row is None:
            return None, 0
        return json.loads(row["body"]["S"]), int(row["version"]["N"])

    async def put(self, kind: str, value: Any, context: Any, *, version: int) -> int:
        """Store a document in place of the one that had `version`; returns the new version.

        Raises `Conflict` when somebody else stored another meanwhile, and
        `ValueError` or `TypeError`, with nothing stored, for what is no JSON or
        too large.
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
        except ConditionFailed as refused:
            # botocore sent it twice because the first answer was lost: it is stored.
            if refused.rows.get(0) == row:
                return version + 1
            raise Conflict(f"the {kind!r} record is no longer at version {version}") from None
        return version + 1


def _key(kind: str, user: str) -> keys.Key:
    return keys.key(keys.user_partition(user), keys.RECORD + part(kind))
