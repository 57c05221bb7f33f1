"""Refunds: what was returned is paid back, once the visitor has approved it on a card."""

import logging

from functions.toolkit import ActionError, Turn, tool

from .case import known_order, order_card
from .orders import Item, Order, in_euros

logger = logging.getLogger(__name__)


@tool(needs_approval=True)
async def refund(turn: Turn, item: str, euros: float) -> str:
    """Pays back what was paid for one item. The visitor approves it on a card before it runs.

    Args:
        item: Its SKU, such as KETTLE-1. Its return must be registered.
        euros: At most the price of the item.
    """
    case = await turn.thread_data.read()
    order = await known_order(case)
    paid = order.item(item) if order else None
    cents = round(euros * 100)
    # The arguments are a model's. What may be paid back is decided here.
    if order is None or paid is None or item not in case.refundable:
        raise ActionError(409, f"There is no return of {item} to pay back.")
    if not 0 < cents <= paid.cents:
        raise ActionError(422, f"At most {paid.price} can be paid back for {item}.")
    await pay_back(order, paid, cents)
    case = await turn.thread_data.change(
        lambda case: case.model_copy(update={"refunds": case.refunds | {item: cents}})
    )
    await turn.stream_widget(order_card(order, case))
    return f"{in_euros(cents)} goes back to the {order.paid_with} within five days."


async def pay_back(order: Order, item: Item, cents: int) -> None:
    """Here a shop asks its payment provider.

    Give it the key: then it pays once, also when it is asked twice, from two conversations.
    """
    logger.info("refund", extra={"key": f"{order.number}/{item.sku}", "cents": cents})
