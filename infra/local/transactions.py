"""Makes moto undo a refused transaction row by row.

For each action of a transaction moto copies the whole table with its stream, and replaces the
table by the copy when the transaction is refused. So every message takes longer than the last
one, and after a refusal a reader of the stream reads the stream of the replaced table. Here only
the rows of the transaction are saved and restored.
"""

import contextlib
import copy
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def undone_row_by_row() -> Iterator[None]:
    """Patch moto's DynamoDB in this process while the block runs."""
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
    tables.__deepcopy__ = lambda table, _: table  # moto then restores the table itself
    try:
        yield
    finally:
        backends.transact_write_items = theirs
        del tables.__deepcopy__


class _Kept:
    """A row and the length of its table's stream, before an action changes both."""

    def __init__(self, backend: Any, action: dict[str, Any]) -> None:
        from moto.dynamodb.models.dynamo_type import DynamoType  # noqa: PLC0415

        self._table = table = backend.tables.get(action.get("TableName"))
        key = action.get("Key") or action.get("Item") or {}
        names = [table.hash_key_attr, table.range_key_attr] if table else []
        self._key = [DynamoType(key[name]) for name in names if name in key]
        self._whole = len(self._key) == 2  # noqa: PLR2004 - else moto refuses it
        if self._whole:
            self._row = copy.deepcopy(table.get_item(*self._key))
            self._stream_length = len(table.stream_shard.items) if table.stream_shard else 0

    def put_back(self) -> None:
        if not self._whole:
            return
        partition, sort = self._key
        self._table.items[partition].pop(sort, None)
        if self._row is not None:
            self._table.items[partition][sort] = self._row
        if self._table.stream_shard:
            del self._table.stream_shard.items[self._stream_length :]
