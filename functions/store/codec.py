"""Items to JSON and back: a loaded item equals the saved one."""

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
    """An item as JSON, and the attributes that its row needs beside it to read it back.

    A widget from a template may use components and properties that the SDK has no class for.
    Parsed as a plain widget, it would become a `Card` or `ListView` without them. So the row
    of such an item says that its widget came from a template.

    Raises `ValueError` for an item that has no JSON; `check` finds one that cannot be read back.
    """
    if not isinstance(item, ThreadItemBase):
        raise ValueError(f"not a thread item: {type(item).__name__}")  # noqa: TRY004 - bad input
    with input_errors(f"item {item.id!r}"):
        check_id(item.id)
        check_moment(item.created_at)
        templated = isinstance(item, WidgetItem) and isinstance(item.widget, DynamicWidgetRoot)
        attributes: dict[str, Value] = {TEMPLATED: {"BOOL": True}} if templated else {}
        return item.model_dump_json().encode(), attributes


def check(item: ThreadItem, text: bytes, attributes: dict[str, Value]) -> None:
    """Raise `ValueError` when the results of `dump` cannot be read back as an item."""
    with input_errors(f"item {item.id!r}"):
        if b"null" in text:  # pydantic writes NaN as null
            check_finite(item.model_dump())
        load(text, attributes)


def load(text: bytes, row: dict[str, Value]) -> ThreadItem:
    """The item in a row. Raises pydantic's `ValidationError` when this version cannot read it."""
    if TEMPLATED not in row:
        return _ITEM.validate_json(text)
    read = _TemplatedWidgetItem.model_validate_json(text)
    return WidgetItem.model_construct(read.model_fields_set, **dict(read))
