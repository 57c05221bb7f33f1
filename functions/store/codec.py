"""Items as JSON and back, so that what is loaded equals what was saved."""

from typing import Final

from chatkit.types import ThreadItem, WidgetItem
from chatkit.widgets import DynamicWidgetRoot
from pydantic import TypeAdapter

from functions.store.keys import Value

TEMPLATED: Final = "templated"

_ITEM: TypeAdapter[ThreadItem] = TypeAdapter(ThreadItem)


class _TemplatedWidgetItem(WidgetItem):
    widget: DynamicWidgetRoot


def dump(item: ThreadItem) -> tuple[bytes, dict[str, Value]]:
    """An item's JSON, and what has to be known beside it to read it back.

    A widget from a template may use components and properties that this SDK has
    no class for. Read as any widget, it would become a `Card` or `ListView` and
    lose them, so its row says that it came from a template.
    """
    templated = isinstance(item, WidgetItem) and isinstance(item.widget, DynamicWidgetRoot)
    return item.model_dump_json().encode(), {TEMPLATED: {"BOOL": True}} if templated else {}


def load(text: bytes, row: dict[str, Value]) -> ThreadItem:
    """The item; raises pydantic's `ValidationError` for one that this version does not know."""
    if TEMPLATED not in row:
        return _ITEM.validate_json(text)
    read = _TemplatedWidgetItem.model_validate_json(text)
    return WidgetItem.model_construct(read.model_fields_set, **dict(read))
