"""Returns: a form on a card. What is missing or wrong is said next to its field."""

from pathlib import Path
from typing import Annotated

from chatkit.types import WidgetItem
from chatkit.widgets import WidgetRoot
from pydantic import BaseModel, StringConstraints

from functions.toolkit import ActionError, ActionRun, Redraw, Turn, Widget, action, tool

from .case import ORDER_UNKNOWN, Case, Return, known_order, order_card
from .orders import Order
from .settings import SETTINGS

FORM = Widget(Path(__file__).parent / "widgets" / "return_form.widget")

REASONS = {
    "broken": "It is broken",
    "other": "It is not what I ordered",
    "changed": "I changed my mind",
}
MIN_DETAILS, MAX_DETAILS = 10, 300

Text = Annotated[str, StringConstraints(max_length=1_000)]


class Typed(BaseModel):
    """What the visitor chose and wrote. It may be wrong: `problems` says what."""

    sku: Text = ""
    reason: Text = ""
    details: Text = ""


def problems(order: Order, case: Case, typed: Typed) -> dict[str, str]:
    """A sentence for each field that is wrong, by its name."""
    found = {}
    if order.item(typed.sku) is None:
        found["sku"] = "Choose what you want to return."
    elif typed.sku in case.returns:
        found["sku"] = "The return of this item is registered already."
    if typed.reason not in REASONS:
        found["reason"] = "Choose a reason."
    details = typed.details.strip()
    if typed.reason == "broken" and len(details) < MIN_DETAILS:
        found["details"] = "Describe in a sentence what is broken."
    if len(details) > MAX_DETAILS:
        found["details"] = f"At most {MAX_DETAILS} characters, please."
    return found


def form(order: Order, typed: Typed, messages: dict[str, str]) -> WidgetRoot:
    return FORM.build(
        number=order.number,
        items=[{"value": item.sku, "label": item.name} for item in order.items],
        reasons=[{"value": name, "label": label} for name, label in REASONS.items()],
        values=typed,
        errors={name: messages.get(name, "") for name in Typed.model_fields},
    )


def why_not_returnable(order: Order) -> str | None:
    """A sentence when the order cannot be returned now."""
    if order.delivered_days_ago is None:
        return f"Order {order.number} was not delivered yet."
    if order.delivered_days_ago > SETTINGS.return_days:
        return f"Orders can be returned within {SETTINGS.return_days} days of their delivery."
    return None


@tool
async def show_return_form(turn: Turn) -> str:
    """Shows a form with which the visitor registers a return of something in their order."""
    order = await known_order(await turn.thread_data.read())
    if order is None:
        return ORDER_UNKNOWN
    if reason := why_not_returnable(order):
        return reason
    await turn.stream_widget(form(order, Typed(), {}))
    return "The form is on the page. Sending it registers the return."


@action("return.send", payload=Typed, sync=True)
async def send_return(run: ActionRun, typed: Typed) -> Redraw:
    run.check_offered("return.send")
    case = await run.thread_data.read()
    order = await known_order(case)
    if order is None:
        raise ActionError(409, ORDER_UNKNOWN)
    if reason := why_not_returnable(order):
        raise ActionError(409, reason)
    messages = problems(order, case, typed)
    if not messages:
        new = {typed.sku: Return(reason=REASONS[typed.reason], details=typed.details.strip())}
        await run.thread_data.change(
            lambda case: case.model_copy(update={"returns": case.returns | new})
        )

    async def redraw(_: WidgetItem) -> WidgetRoot:
        if messages:
            return form(order, typed, messages)
        return order_card(order, await run.thread_data.read())

    return redraw
