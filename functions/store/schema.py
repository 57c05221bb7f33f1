"""The one table, as plain data: CDK reads it, and so does `create_table`.

| row | pk | sk | position |
| --- | --- | --- | --- |
| thread | `U#<user>` | `THREAD#<id>` | last activity; TTL with a retention |
| head: the thread's fields once more | `U#<user>#T#<thread>` | `HEAD` | after all items |
| item | `U#<user>#T#<thread>` | `ITEM#<id>` | created_at, set once |
| attachment | `U#<user>` | `ATT#<id>` | |
| attachment of a thread's message | `U#<user>#T#<thread>` | `ATT#<id>` | |
| feedback | `U#<user>#T#<thread>` | `FB#<item>` | |
| tombstone of a deleted thread | `U#<user>#T#<thread>` | `TOMBSTONE` | TTL |
| deleted thread whose purge has not ended | `U#<user>` | `GONE#<id>` | |
| run | `U#<user>` | `RUN#<id>` | TTL |
| record of the assistant's data | `U#<user>` | `REC#<kind>` | |
| quota of a user | `Q#<user>` | `<seconds>#<window>` | TTL |
| budget of the stage | `Q` | `DAY#<date>` | TTL |

The head lets one query answer what a turn begins with: the thread and its newest items. It is
written in the same transaction as the thread's own fields, and nowhere else.

The index is local because ChatKit reads items just after writing them, and a
global index is only eventually consistent. It makes a thread's items (with
their index entries) an item collection, which DynamoDB caps at 10 GB:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html
"""

from typing import Any, Final

INDEX: Final = "by_position"
TTL_ATTRIBUTE: Final = "expires"

ATTRIBUTES: Final = {"pk": "S", "sk": "S", "position": "S"}
"""Attributes that are part of a key, and their types."""

STREAM_VIEW: Final = "OLD_IMAGE"
"""What a stream record holds: the row as it was, which names the objects to remove."""

STREAM_FILTERS: Final[list[dict[str, Any]]] = [
    {"eventName": ["REMOVE"], "dynamodb": {"Keys": {"sk": {"S": [{"prefix": prefix}]}}}}
    for prefix in ("THREAD#", "TOMBSTONE", "ATT#")
] + [
    {
        "eventName": ["REMOVE", "MODIFY"],
        "dynamodb": {"OldImage": {place: {"S": [{"exists": True}]}}},
    }
    for place in ("spill", "image")
]
"""Event filters of the second function's event source: what `purge` has work for."""

TABLE: Final[dict[str, Any]] = {
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": kind} for name, kind in ATTRIBUTES.items()
    ],
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "LocalSecondaryIndexes": [
        {
            "IndexName": INDEX,
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "position", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
    "BillingMode": "PAY_PER_REQUEST",
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": STREAM_VIEW},
}
"""`CreateTable`'s parameters but for the name."""


def create_table(client: Any, table_name: str) -> None:
    """Create the table with its index, stream and TTL, and wait until it can be used.

    For a laptop, a test or a script; in AWS the stack makes the same table.
    Synchronous. Raises botocore's `ResourceInUseException` when it exists.
    """
    client.create_table(TableName=table_name, **TABLE)
    client.get_waiter("table_exists").wait(
        TableName=table_name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    client.update_time_to_live(
        TableName=table_name,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": TTL_ATTRIBUTE},
    )
