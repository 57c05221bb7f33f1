"""The one table as plain data, for the CDK stack and for `create_table`.

| row | pk | sk | position |
| --- | --- | --- | --- |
| thread | `U#<user>` | `THREAD#<id>` | last activity; TTL with a retention |
| head: a copy of the thread's fields | `U#<user>#T#<thread>` | `HEAD` | after all items |
| item | `U#<user>#T#<thread>` | `ITEM#<id>` | created_at, then when it was first written |
| attachment | `U#<user>` | `ATT#<id>` | |
| link to an attachment of a thread | `U#<user>#T#<thread>` | `ATT#<id>` | |
| feedback | `U#<user>#T#<thread>` | `FB#<item>` | TTL once it is taken back |
| tombstone of a deleted thread | `U#<user>#T#<thread>` | `TOMBSTONE` | TTL |
| note that a deleted thread must be purged | `U#<user>` | `GONE#<id>` | |
| run | `U#<user>` | `RUN#<id>` | TTL |
| record of a run that has ended | `U#<user>#T#<thread>` | `ENDED#<run>` | TTL |
| when the user signed out everywhere | `U#<user>` | `SIGNED_OUT` | TTL |
| everything of the user was deleted | `U#<user>` | `DELETED` | removed at once; TTL |
| record of the assistant's data | `U#<user>` | `REC#<kind>` | |
| record of the assistant's data of a thread | `U#<user>#T#<thread>` | `REC#<kind>` | |
| state of a document of the knowledge | `K#<tenant>`, of nobody's `K#@` | `DOC#<document>` | |
| counters of a user | `Q#<user>` | `COUNTERS` | TTL |
| counters of a tenant, a network or the stage | `L#<scope>#<name>` | `COUNTERS` | TTL |
| totals of a day (UTC) | `S#<month>` | `<day>#DAY` | |
| totals of a model on a day | `S#<month>` | `<day>#MODEL#<provider>#<model>` | |
| question that needs a look | `S#<month>` | `QUESTION#<time>#<digest>` | TTL |
| mark of what has been counted | `S#COUNTED#<mark>` | `COUNTED` | TTL |
| version of the table: see `VERSION` | `SCHEMA` | `VERSION` | |
| how far the sweep is, and who is at work | `SWEEP` | `PASS` | |
| hashes of the objects that rows name, for the sweep | `SWEEP` | `NAMED#<number>` | TTL |

Because of the head, one query reads a thread and its newest items. Every transaction that writes
the thread's fields writes its head too.

The index is local because ChatKit reads items just after writing them, and a global index is only
eventually consistent. With a local index, the items of a thread and their index entries form an
item collection, which DynamoDB limits to 10 GB:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html
"""

from typing import Any, Final

VERSION: Final = 2
"""The version of what rows hold. A change that an older version of the code cannot read raises it;
a new kind of row, which it does not look for, does not.

| version | since | what is different |
| --- | --- | --- |
| 1 | 0.1.0 | an item's position is `<created_at>#<id>` |
| 2 | after 0.1.0 | a new item's position is `<created_at>$<time of its first write>#<id>` |

Rows of an older version are read as they are: both positions sort as they should
(`keys.item_position`), and an item keeps the one that it has. Where a later version cannot take a
row as it is, its reader changes it when it is read, and it is stored anew with the next write.
`tests/store/test_store_older_rows.py` has rows of each version.
"""

INDEX: Final = "by_position"
TTL_ATTRIBUTE: Final = "expires"

ATTRIBUTES: Final = {"pk": "S", "sk": "S", "position": "S"}
"""Attributes that are part of a key, and their types."""

STREAM_VIEW: Final = "NEW_AND_OLD_IMAGES"
"""A stream record holds the row before the change, which names the objects to remove, and the row
after it, which is counted and published. When a deploy changes this, the table gets a new stream:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-dynamodb-table-streamspecification.html
"""

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
"""Event filters of the events function's event source: the records that `purge` handles."""


def _rows(*sorts: str) -> dict[str, Any]:
    """Rows whose sort keys are, or with a `#` at their end begin with, one of `sorts`."""
    wanted = [{"prefix": sort} if sort.endswith("#") else sort for sort in sorts]
    return {"Keys": {"sk": {"S": wanted}}}


CHANGE_FILTERS: Final[list[dict[str, Any]]] = [
    {"eventName": ["INSERT"], "dynamodb": _rows("HEAD", "TOMBSTONE", "DELETED", "ENDED#")},
    {
        "eventName": ["INSERT"],
        "dynamodb": {**_rows("ITEM#"), "NewImage": {"type": {"S": ["user_message"]}}},
    },
    {
        "eventName": ["INSERT"],
        "dynamodb": {**_rows("ATT#"), "NewImage": {"type": {"S": [{"exists": True}]}}},
    },
    {"eventName": ["INSERT", "MODIFY"], "dynamodb": _rows("FB#", "DOC#")},
    {"eventName": ["REMOVE"], "dynamodb": _rows("THREAD#", "DOC#", "FB#", "ENDED#")},
]
"""Event filters of the changes function's event source: what is counted and published. Lambda takes
five, and an answer starts no invocation for each of its rows:
https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
"""

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
"""The parameters of `CreateTable`, without the name."""


def create_table(client: Any, table_name: str) -> None:
    """Create the table with its index, stream and TTL, and wait until it can be used.

    For a laptop, a test or a script; in AWS the stack creates the same table. `client` is boto3's
    DynamoDB client. Synchronous. Raises botocore's `ResourceInUseException` when it exists.
    """
    client.create_table(TableName=table_name, **TABLE)
    client.get_waiter("table_exists").wait(
        TableName=table_name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    client.update_time_to_live(
        TableName=table_name,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": TTL_ATTRIBUTE},
    )
