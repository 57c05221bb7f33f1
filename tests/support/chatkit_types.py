"""What ChatKit's Python package can send to a page: the names of all its types.

The tests of the page read them from `chatkit-types.json` beside this file. After an upgrade of
ChatKit, `python -m tests.support.chatkit_types` writes that file anew.
"""

import json
from pathlib import Path
from typing import get_args

from chatkit import icons, types, widgets

FILE = Path(__file__).with_name("chatkit-types.json")


def names() -> dict[str, object]:
    """For each kind of thing its names, sorted; of widget components also their fields."""
    components = [
        *_members(widgets.StrictWidgetRoot),
        *_members(widgets.StrictWidgetComponent),
    ]
    hidden = {types.HiddenContextItem, types.SDKHiddenContextItem}
    return {
        "components": {
            _name(each): sorted(each.model_fields) for each in sorted(components, key=_name)
        },
        "series": _names(widgets.Series),
        "curves": sorted(get_args(widgets.CurveType)),
        "events": _names(types.ThreadStreamEvent),
        "updates": _names(types.ThreadItemUpdate),
        "items": sorted({_name(each) for each in _members(types.ThreadItem) if each not in hidden}),
        "tasks": _names(types.Task),
        "sources": _names(types.Source),
        "statuses": _names(types.ThreadStatus),
        "questions": _names(types.StructuredInput),
        "notices": _literals(types.NoticeEvent, "level"),
        "workflows": _literals(types.Workflow, "type"),
        "indicators": _literals(types.BaseTask, "status_indicator"),
        "icons": sorted(get_args(get_args(icons.IconName)[0])),
    }


def _members(union):
    """The classes of a union, which may be annotated with its discriminator."""
    if isinstance(union, type):
        return [union]
    # The first argument of `Annotated` is the type; the others are no types.
    return [
        member
        for each in get_args(union)
        if isinstance(each, type) or get_args(each)
        for member in _members(each)
    ]


def _name(model) -> str:
    return model.model_fields["type"].default


def _names(union) -> list[str]:
    return sorted(_name(each) for each in _members(union))


def _literals(model, field) -> list[str]:
    return sorted(get_args(model.model_fields[field].annotation))


if __name__ == "__main__":
    FILE.write_text(json.dumps(names(), indent=2) + "\n")
