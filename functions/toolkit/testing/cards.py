"""Cards: what can be pressed on them."""

from typing import Any

from chatkit.types import WidgetItem
from chatkit.widgets import WidgetRoot


def buttons(card: WidgetItem | WidgetRoot, action: str | None = None) -> list[dict[str, Any]]:
    """The payloads of what can be pressed on a card for `action`, or for any."""
    widget = card.widget if isinstance(card, WidgetItem) else card
    found: list[dict[str, Any]] = []

    def walk(node: Any) -> None:
        if isinstance(node, list):
            for each in node:
                walk(each)
        elif isinstance(node, dict):
            for name, value in node.items():
                if name.startswith("on") and name.endswith("Action") and isinstance(value, dict):
                    if action in {None, value.get("type")}:
                        found.append(value.get("payload") or {})
                else:
                    walk(value)

    walk(widget.model_dump(mode="json", exclude_none=True))
    return found
