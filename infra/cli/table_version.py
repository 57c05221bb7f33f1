"""The version of what a stage's table holds, which a deploy keeps in the table.

So code that is older than its table is not deployed over it by mistake, and a table that comes back
from `make restore` says what it needs. `functions.store.schema.VERSION` has the history.
"""

from contextlib import suppress
from typing import Any

from functions.store import keys
from functions.store.schema import VERSION
from infra.cli.typed import CommandError

_ROW = keys.key(keys.SCHEMA, "VERSION")


def read(client: Any, table: str) -> int:
    """The version of the table; 1 when none is kept, as in version 0.1."""
    row = client.get_item(TableName=table, Key=_ROW, ConsistentRead=True).get("Item")
    return int(row["version"]["N"]) if row else 1


def check(client: Any, table: str) -> None:
    """Raises `CommandError` when this code may not know all that the table holds."""
    version = read(client, table)
    if version > VERSION:
        raise CommandError(
            f"The table {table} has schema {version}, and this version knows {VERSION} and older "
            "ones: take the version that wrote it, or a later one."
        )


def record(client: Any, table: str) -> None:
    """Keep that this version writes the table. A later one stays."""
    with suppress(client.exceptions.ConditionalCheckFailedException):
        client.update_item(
            TableName=table,
            Key=_ROW,
            UpdateExpression="SET #version = :version",
            ConditionExpression="attribute_not_exists(#version) OR #version < :version",
            ExpressionAttributeNames={"#version": "version"},
            ExpressionAttributeValues={":version": {"N": str(VERSION)}},
        )
