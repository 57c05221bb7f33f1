"""Counts what a boto3 client of DynamoDB asks for: requests by name, and capacity units."""

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

    def clear(self) -> None:
        self.requests.clear()
        self.read_units = self.write_units = 0

    def _ask(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if "ReturnConsumedCapacity" in model.input_shape.members:
            params["ReturnConsumedCapacity"] = "TOTAL"

    def _note(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        self.requests.append(model.name)
        used = parsed.get("ConsumedCapacity", [])
        for each in used if isinstance(used, list) else [used]:
            if model.name in READS:
                self.read_units += each.get("CapacityUnits", 0)
            else:
                self.write_units += each.get("CapacityUnits", 0)


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
