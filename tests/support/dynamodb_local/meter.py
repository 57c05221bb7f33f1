"""Counts what a boto3 client of DynamoDB uses: requests by name, and capacity units."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

READS = frozenset({"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"})


@dataclass
class Meter:
    requests: list[str] = field(default_factory=list)
    read_units: float = 0
    write_units: float = 0
    a_transaction: float = 1
    """The factor for the units that the engine reports for a transaction."""

    def calibrate(self, client: Any, table: str) -> float:
        """Set the factor from what the engine reports for a transaction of two units at AWS.

        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
        counts two writes for each item, to prepare and to commit. DynamoDB Local
        2.6.1 reports four.
        """
        row = {"pk": {"S": "meter"}, "sk": {"S": "meter"}}
        answer = client.transact_write_items(
            TransactItems=[{"Put": {"TableName": table, "Item": row}}],
            ReturnConsumedCapacity="TOTAL",
        )
        client.delete_item(TableName=table, Key=row)
        reported: float = answer["ConsumedCapacity"][0]["CapacityUnits"]
        self.a_transaction = 2 / reported if reported else 1
        return reported

    def clear(self) -> None:
        self.requests.clear()
        self.read_units = self.write_units = 0

    def _ask(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if "ReturnConsumedCapacity" in model.input_shape.members:
            params["ReturnConsumedCapacity"] = "TOTAL"

    def _note(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        self.requests.append(model.name)
        factor = self.a_transaction if model.name == "TransactWriteItems" else 1
        used = parsed.get("ConsumedCapacity", [])
        for each in used if isinstance(used, list) else [used]:
            if model.name in READS:
                self.read_units += each.get("CapacityUnits", 0)
            else:
                self.write_units += each.get("CapacityUnits", 0) * factor


@contextmanager
def metered(client: Any) -> Iterator[Meter]:
    """Count a client's requests as long as the `with` block lasts."""
    meter = Meter()
    events = client.meta.events
    events.register("provide-client-params.dynamodb", meter._ask)
    events.register("after-call.dynamodb", meter._note)
    try:
        yield meter
    finally:
        events.unregister("provide-client-params.dynamodb", meter._ask)
        events.unregister("after-call.dynamodb", meter._note)
