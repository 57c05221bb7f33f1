"""Moto's transactions, undone row by row.

Moto copies the whole table for each action of a transaction, with all that its stream ever told,
and puts the copy in the table's place when one is refused. So the longer it runs, the longer every
message takes, and after a refusal whoever reads the stream reads that of a table that is gone.
Here the rows that a transaction names are kept aside and put back.
"""

import contextlib
import copy
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def undone_row_by_row() -> Iterator[None]:
    """Moto's DynamoDB does so inside, in all of this process."""
    # Slow to import, and not always needed.
    from moto.dynamodb.models import DynamoDBBackend  # noqa: PLC0415
    from moto.dynamodb.models.table import Table  # noqa: PLC0415

    backends: Any = DynamoDBBackend
    tables: Any = Table
    theirs = backends.transact_write_items

    def transact_write_items(backend: Any, transact_items: list[dict[str, Any]]) -> None:
        kept = [_Kept(backend, action) for actions in transact_items for action in actions.values()]
        try:
            theirs(backend, transact_items)
        except Exception:
            for row in reversed(kept):
                row.put_back()
            raise

    backends.transact_write_items = transact_write_items
    tables.__deepcopy__ = lambda table, _: table  # the copy that it would put back
    try:
        yield
    finally:
        backends.transact_write_items = theirs
        del tables.__deepcopy__


class _Kept:
    """A row, and how much its table's stream had told, before an action changes both."""

    def __init__(self, backend: Any, action: dict[str, Any]) -> None:
        from moto.dynamodb.models.dynamo_type import DynamoType  # noqa: PLC0415

        self._table = table = backend.tables.get(action.get("TableName"))
        key = action.get("Key") or action.get("Item") or {}
        names = [table.hash_key_attr, table.range_key_attr] if table else []
        self._key = [DynamoType(key[name]) for name in names if name in key]
        self._whole = len(self._key) == 2  # noqa: PLR2004 - else moto refuses it
        if self._whole:
            self._row = copy.deepcopy(table.get_item(*self._key))
            self._told = len(table.stream_shard.items) if table.stream_shard else 0

    def put_back(self) -> None:
        if not self._whole:
            return
        partition, sort = self._key
        self._table.items[partition].pop(sort, None)
        if self._row is not None:
            self._table.items[partition][sort] = self._row
        if self._table.stream_shard:
            del self._table.stream_shard.items[self._told :]
