"""Looks into widgets: their buttons, their texts, and whether ChatKit knows all of them."""

import json

from chatkit.widgets import StrictWidgetRoot
from pydantic import TypeAdapter

HOSTILE = 'a "quote", a \\ and {{ braces }} </script> & \u2028 🎈'
"""Text of a person that a template must not take apart."""

_STRICT = TypeAdapter(StrictWidgetRoot)


def nodes(widget):
    """All components of a widget, as JSON."""
    found = []

    def walk(node):
        found.append(node)
        for child in node.get("children") or []:
            walk(child)

    walk(json.loads(widget.model_dump_json()))
    return found


def pressable(widget):
    """What can be pressed on a widget."""
    keys = ("onClickAction", "onChangeAction", "onSubmitAction")
    return [node[key] for node in nodes(widget) for key in keys if key in node]


def texts(widget):
    return [
        value
        for node in nodes(widget)
        for key in ("value", "label", "defaultValue")
        if (value := node.get(key))
    ]


def unknown_to_chatkit(widget):
    """Properties that ChatKit declares on none of its components."""

    def extras(component):
        found = [(component.type, name) for name in component.model_extra or {}]
        for child in getattr(component, "children", None) or []:
            found += extras(child)
        return found

    return extras(_STRICT.validate_json(widget.model_dump_json()))
