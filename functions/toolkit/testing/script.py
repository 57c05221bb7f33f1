"""What a scripted model answers: one step for each time that it is called."""

from collections.abc import Sequence
from itertools import count
from typing import Any

from agents.items import TResponseOutputItem
from agents.testing import assistant_message, function_call

Step = Sequence[TResponseOutputItem] | Exception
"""What the model answers to one call, or what it fails with. `ScriptedModel` takes more."""

_numbers = count(1)


def says(text: str) -> list[TResponseOutputItem]:
    """The model answers with `text`."""
    return [assistant_message(text, item_id=f"msg_{next(_numbers)}")]


def calls(tool: str, /, **arguments: Any) -> list[TResponseOutputItem]:
    """The model calls a tool. Add up what it does in one answer.

    says("One moment.") + calls("find", order="A1") + calls("find", order="A2")
    """
    return [function_call(tool, arguments, call_id=f"call_{next(_numbers)}")]
