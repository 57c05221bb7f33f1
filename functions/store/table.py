"""One DynamoDB table: consistent reads and conditional writes.

All reads are strongly consistent, because ChatKit reads what it has just written.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

from .. import aws
from ..aws import owner_sessions
from .keys import Key, Value

Row = dict[str, Value]

MAX_CONFLICT_ATTEMPTS: Final = 12
CONFLICT_FIRST_WAIT: Final = 0.01
CONFLICT_MAX_WAIT: Final = 0.5
"""Parallel transactions on one row cancel each other. botocore retries neither these nor the
rows that a batch leaves unprocessed, so this module does. Waits double from 10 ms to 500 ms, with
full jitter: 3.6 s at most in total."""

CONDITION: Final = "ConditionalCheckFailed"
TOO_LARGE: Final = "Item size"
"""Part of DynamoDB's message for a row or a value of over 400 KB. An update of a part of a row
cannot check the size first, because other updates wrote the rest."""

_TRANSIENT: Final = frozenset(
    {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
)
MAX_ACTIONS: Final = 100
"""Actions that `TransactWriteItems` takes."""
MAX_BATCH: Final = 25
"""Rows that `BatchWriteItem` takes."""


class ConditionFailed(Exception):  # noqa: N818 - an outcome, not a fault
    """A condition did not hold, and nothing was written.

    `failed` holds the indices of the actions whose condition failed. `rows[i]` is the row that
    the i-th of them found, if the action asked for it (`ReturnValuesOnConditionCheckFailure`).
    """

    def __init__(self, reasons: Sequence[Mapping[str, Any]]) -> None:
        super().__init__("a condition of the write did not hold")
        # DynamoDB may also list actions that conflicted with another write: they did not fail.
        self.failed = {i for i, reason in enumerate(reasons) if _code(reason) == CONDITION}
        self.rows: dict[int, Row] = {
            i: reason["Item"] for i, reason in enumerate(reasons) if reason.get("Item")
        }


def _code(reason: Mapping[str, Any]) -> str:
    return reason.get("Code") or ""


class Table:
    """One table and its client. A method costs one round trip unless its docstring says more.

    `client` is boto3's DynamoDB client, by default that of `functions.aws.owner_sessions`, or the
    process's own for the rows that belong to nobody (`nobodys`).
    """

    def __init__(self, name: str, client: Any = None, *, nobodys: bool = False) -> None:
        self.name = name
        self._given = client
        self._nobodys = nobodys

    @property
    def client(self) -> Any:
        if self._given is not None:
            return self._given
        return aws.client("dynamodb") if self._nobodys else owner_sessions.client("dynamodb")

    async def get(self, key: Key, **kwargs: Any) -> Row | None:
        found = await aws.call(
            self.client.get_item, TableName=self.name, Key=key, ConsistentRead=True, **kwargs
        )
        row: Row | None = found.get("Item")
        return row

    async def get_many(self, keys: list[Key], **kwargs: Any) -> list[Row | None]:
        """Up to 100 rows in the order of `keys`; `None` where there is no such row."""
        if not keys:
            return []
        rows: dict[tuple[str, str], Row] = {}
        pending = keys
        for attempt in range(MAX_CONFLICT_ATTEMPTS):
            answer = await aws.call(
                self.client.batch_get_item,
                RequestItems={self.name: {"Keys": pending, "ConsistentRead": True, **kwargs}},
            )
            for row in answer["Responses"].get(self.name, []):
                rows[row["pk"]["S"], row["sk"]["S"]] = row
            pending = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            if not pending:
                return [rows.get((key["pk"]["S"], key["sk"]["S"])) for key in keys]
            await asyncio.sleep(_wait(attempt))  # more than 16 MB, or throttled
        raise TimeoutError(f"{len(pending)} rows of a batch could not be read: throttled")

    async def query(self, **kwargs: Any) -> AsyncIterator[Row]:
        """Rows in order. One round trip for each megabyte, or for each `Limit` rows, read."""
        start: dict[str, Any] = {}
        while True:
            page = await aws.call(
                self.client.query,
                TableName=self.name,
                ConsistentRead=True,
                **kwargs,
                **start,
            )
            for row in page["Items"]:
                yield row
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    async def update(self, key: Key, expression: str, **kwargs: Any) -> Row:
        """One atomic `UpdateItem`. Raises `ConditionFailed` when its condition does not hold."""
        try:
            answer = await aws.call(
                self.client.update_item,
                TableName=self.name,
                Key=key,
                UpdateExpression=expression,
                **kwargs,
            )
        except ClientError as error:
            raise _condition_failed(error) or error from None
        attributes: Row = answer.get("Attributes", {})
        return attributes

    async def put(self, row: Row, **kwargs: Any) -> None:
        """Raises `ConditionFailed` when its condition does not hold."""
        try:
            await aws.call(self.client.put_item, TableName=self.name, Item=row, **kwargs)
        except ClientError as error:
            raise _condition_failed(error) or error from None

    async def delete(self, key: Key, **kwargs: Any) -> None:
        """Raises `ConditionFailed` when its condition does not hold."""
        try:
            await aws.call(self.client.delete_item, TableName=self.name, Key=key, **kwargs)
        except ClientError as error:
            raise _condition_failed(error) or error from None

    async def transact(self, actions: list[dict[str, Any]]) -> None:
        """Write all of `actions` or none: up to `MAX_ACTIONS`, each such as `{"Update": {…}}`,
        without the table's name.

        botocore sends an idempotency token, so a retry after a lost answer does not write twice.
        Raises `ConditionFailed` when a condition does not hold, and `ValueError` when a row would
        be larger than DynamoDB's 400 KB.
        """
        named = [
            {verb: {"TableName": self.name, **spec} for verb, spec in action.items()}
            for action in actions
        ]
        await aws.call(self._transact, actions=named)

    def _transact(self, actions: list[dict[str, Any]]) -> None:
        for attempt in range(MAX_CONFLICT_ATTEMPTS):
            try:
                self.client.transact_write_items(TransactItems=actions)
            except ClientError as error:
                reasons = error.response.get("CancellationReasons", [])
                codes = {_code(reason) for reason in reasons} - {"", "None"}
                if CONDITION in codes:
                    raise ConditionFailed(reasons) from None
                messages = [str(error), *(reason.get("Message") or "" for reason in reasons)]
                if any(TOO_LARGE in message for message in messages):
                    raise ValueError("too large: DynamoDB holds 400 KB a row") from None
                last = attempt == MAX_CONFLICT_ATTEMPTS - 1
                if last or not codes or codes - _TRANSIENT:
                    raise
            else:
                return
            time.sleep(_wait(attempt))  # this runs on a thread of the pool

    async def delete_many(self, keys: Iterable[Key]) -> None:
        """Delete rows in batches of 25, in parallel. Rows that do not exist are fine."""
        requests = [{"DeleteRequest": {"Key": key}} for key in keys]
        batches = [requests[i : i + MAX_BATCH] for i in range(0, len(requests), MAX_BATCH)]
        await aws.together(*(aws.call(self._write_batch, requests=batch) for batch in batches))

    def _write_batch(self, requests: list[dict[str, Any]]) -> None:
        for attempt in range(MAX_CONFLICT_ATTEMPTS):
            answer = self.client.batch_write_item(RequestItems={self.name: requests})
            requests = answer.get("UnprocessedItems", {}).get(self.name, [])
            if not requests:
                return
            time.sleep(_wait(attempt))
        raise TimeoutError(f"{len(requests)} rows of a batch could not be deleted: throttled")


def _wait(attempt: int) -> float:
    longest = min(CONFLICT_MAX_WAIT, CONFLICT_FIRST_WAIT * 2**attempt)
    return random.uniform(0, longest)  # noqa: S311 - jitter, no secret


def _condition_failed(error: ClientError) -> ConditionFailed | None:
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        return None
    return ConditionFailed([{"Code": CONDITION, "Item": error.response.get("Item")}])
