"""The orders of the shop. They are in a file here; a shop of your own asks its system instead."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, TypeAdapter

FILE = Path(__file__).parent / "orders.json"


class Item(BaseModel):
    sku: str
    name: str
    cents: int

    @property
    def price(self) -> str:
        return in_euros(self.cents)


class Order(BaseModel):
    number: str
    customer: str
    email: str
    status: Literal["packed", "on its way", "delivered"]
    ordered_days_ago: int
    delivered_days_ago: int | None
    paid_with: str
    items: list[Item]

    @property
    def date(self) -> str:
        """When it was delivered, or else ordered."""
        if self.delivered_days_ago is None:
            return f"Ordered on {_days_ago(self.ordered_days_ago)}"
        return f"Delivered on {_days_ago(self.delivered_days_ago)}"

    @property
    def in_words(self) -> str:
        if self.delivered_days_ago is None:
            return f"Order {self.number} is {self.status}."
        return f"Order {self.number} was delivered on {_days_ago(self.delivered_days_ago)}."

    def item(self, sku: str) -> Item | None:
        return next((item for item in self.items if item.sku == sku), None)


_ORDERS = {
    order.number: order for order in TypeAdapter(list[Order]).validate_json(FILE.read_bytes())
}


async def order_by_number(number: str) -> Order | None:
    return _ORDERS.get(number.strip().upper())


async def order_of(number: str, email: str) -> Order | None:
    """The order, for somebody who knows its number and its customer's e-mail address."""
    order = await order_by_number(number)
    return order if order and order.email == email.strip().lower() else None


def in_euros(cents: int) -> str:
    return f"{cents / 100:.2f} €"


def _days_ago(days: int) -> str:
    return f"{datetime.now(UTC) - timedelta(days=days):%d %B}"
