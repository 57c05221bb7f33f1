"""Items as JSON and back, so that what is loaded equals what was saved."""

from typing import Final

from chatkit.types import ThreadItem, ThreadItemBase, WidgetItem
from chatkit.widgets import DynamicWidgetRoot
from pydantic import TypeAdapter

from .keys import Value
from .validation import check_finite, check_id, check_moment, input_errors

TEMPLATED: Final = "templated"

_ITEM: TypeAdapter[ThreadItem] = TypeAdapter(ThreadItem)


class _TemplatedWidgetItem(WidgetItem):
    widget: DynamicWidgetRoot


def dump(item: ThreadItem) -> tuple[bytes, dict[str, Value]]:
    """An item's JSON, and what has to be known beside it to read it back.

    A widget from a template may use components and properties that this SDK has
    no class for. Read as any widget, it would become a `Card` or `ListView` and
    lose them, so its row says that it came from a template.

    `ValueError` for what has no JSON; `check` finds what could not be read back.
    """
    if not isinstance(item, ThreadItemBase):
        raise ValueError(f"not a thread item: {type(item).__name__}")  # noqa: TRY004 - bad input
    with input_errors(f"item {item.id!r}"):
        check_id(item.id)
        check_moment(item.created_at)
        templated = isinstance(item, WidgetItem) and isinstance(item.widget, DynamicWidgetRoot)
        beside: dict[str, Value] = {TEMPLATED: {"BOOL": True}} if templated else {}
        return item.model_dump_json().encode(), beside


def check(item: ThreadItem, text: bytes, beside: dict[str, Value]) -> None:
    """`ValueError` when an item could not be read back from what `dump` made of it."""
    with input_errors(f"item {item.id!r}"):
        if b"null" in text:  # which is also what NaN is written as
            check_finite(item.model_dump())
        load(text, beside)


def load(text: bytes, row: dict[str, Value]) -> ThreadItem:
    """The item; raises pydantic's `ValidationError` for one that this version does not know."""
    if TEMPLATED not in row:
        return _ITEM.validate_json(text)
    read = _TemplatedWidgetItem.model_validate_json(text)
    return WidgetItem.model_construct(read.model_fields_set, **dict(read))
