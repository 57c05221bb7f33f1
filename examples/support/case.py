"""The case: what the desk keeps for each conversation, and the card that shows it."""

from pathlib import Path

from chatkit.widgets import WidgetRoot
from pydantic import BaseModel, Field

from functions.toolkit import ActionError, Turn, Widget, tool

from .orders import Order, in_euros, order_by_number, order_of

CARD = Widget(Path(__file__).parent / "widgets" / "order.widget")
ORDER_UNKNOWN = "First tell me which order it is: its number, and your e-mail address."
NOT_FOUND = "There is no order with this number and e-mail address."


class Return(BaseModel):
    reason: str
    details: str = ""
    """What the visitor wrote. It is for people: the agents do not get it."""


class Case(BaseModel):
    order: str | None = None
    """The number of the order that the case is about. Its customer has proven that it is theirs."""
    returns: dict[str, Return] = Field(default_factory=dict)
    """What was returned, by its SKU."""
    refunds: dict[str, int] = Field(default_factory=dict)
    """What was paid back, in cents, by the SKU."""

    @property
    def refundable(self) -> list[str]:
        """What was returned and not paid back yet."""
        return [sku for sku in self.returns if sku not in self.refunds]

    def in_words(self, order: Order | None) -> str:
        """The case for the agents."""
        if order is None:
            return "The visitor's order is not known yet."
        items = ", ".join(f"{item.sku} ({item.name}, {item.price})" for item in order.items)
        lines = [f"The case is about order {order.number}, {order.status}: {items}."]
        lines += [f"{sku} is returned: {each.reason}." for sku, each in self.returns.items()]
        lines += [f"{sku}: {in_euros(cents)} was paid back." for sku, cents in self.refunds.items()]
        return "\n".join(lines)


async def known_order(case: Case) -> Order | None:
    """The order that the case is about."""
    return await order_by_number(case.order) if case.order else None


def order_card(order: Order, case: Case) -> WidgetRoot:
    notes = dict.fromkeys(case.returns, "Return registered") | {
        sku: f"{in_euros(cents)} refunded" for sku, cents in case.refunds.items()
    }
    items = [
        {"name": item.name, "price": item.price, "note": notes.get(item.sku, "")}
        for item in order.items
    ]
    return CARD.build(
        number=order.number,
        status=order.status,
        date=order.date,
        items=items,
        total=in_euros(sum(item.cents for item in order.items)),
    )


@tool
async def find_order(turn: Turn, number: str, email: str) -> str:
    """Finds an order and shows it on a card. From then on, the case is about this order.

    Args:
        number: The number of the order, such as A-1042.
        email: The e-mail address that it was ordered with. Ask for it; never guess it.
    """
    order = await order_of(number, email)
    if order is None:
        return NOT_FOUND

    def open_case(case: Case) -> Case:
        if case.order not in {None, order.number}:
            raise ActionError(409, f"This conversation is about order {case.order}.")
        return case.model_copy(update={"order": order.number})

    case = await turn.thread_data.change(open_case)
    return await _show(turn, order, case)


@tool
async def show_order(turn: Turn) -> str:
    """Shows the order that the case is about, with its returns and refunds, on a card."""
    case = await turn.thread_data.read()
    order = await known_order(case)
    return ORDER_UNKNOWN if order is None else await _show(turn, order, case)


async def _show(turn: Turn, order: Order, case: Case) -> str:
    await turn.stream_widget(order_card(order, case))
    return order.in_words
