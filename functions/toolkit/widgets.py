"""Builds widgets from `.widget` files, which ChatKit's Widget Studio exports."""

from functools import cached_property
from pathlib import Path
from typing import Any

from chatkit.widgets import DynamicWidgetRoot, WidgetRoot, WidgetTemplate
from pydantic_core import to_jsonable_python


class Widget:
    """A `.widget` file: a Jinja template of the widget's JSON, and a JSON schema of its data.

        CARD = Widget(Path(__file__).parent / "weather.widget")
        root = CARD.build(city="Lisbon", degrees=Decimal("21.5"))

    The file is read at the first call of `build`.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    @cached_property
    def _template(self) -> WidgetTemplate:
        return WidgetTemplate.from_file(str(self.file))

    def build(self, **data: Any) -> DynamicWidgetRoot:
        """The widget, filled with `data`.

        Values may have any type that a tool may return, and are converted to JSON the same way.
        """
        return self._template.build(to_jsonable_python(data))


def offers(widget: WidgetRoot, action: str) -> bool:
    """Whether `widget` has a button for `action`."""
    return f'"{action}"' in widget.model_dump_json()
