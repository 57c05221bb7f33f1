"""What one request brought: events, items, calls of tools, and what the model was sent."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from agents.testing import ModelCall
from chatkit.types import (
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ClientEffectEvent,
    ClientToolCallItem,
    ErrorEvent,
    NoticeEvent,
    ProgressUpdateEvent,
    ThreadItem,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    WidgetItem,
)
from openai.types.responses import ResponseFunctionToolCall

from ...marks import data_in
from ...web.run_id import without_run
from .models import Asked

T = TypeVar("T")


@dataclass
class ToolCall:
    """One call of a tool. `result` is what the model gets of it; None when the page has yet to
    return it, and when the answer ended before.
    """

    name: str
    arguments: dict[str, Any]
    result: str | None = None


@dataclass(frozen=True)
class Said:
    """What came of one message, press or other request. `items` and `title` are as stored."""

    events: list[ThreadStreamEvent]
    """What the page got, in order."""
    items: list[ThreadItem]
    """The whole conversation as the page lists it, oldest first."""
    new: list[ThreadItem]
    """The `items` that this request has added, or changed."""
    title: str | None
    """The conversation's title."""
    asked: list[Asked] = field(default_factory=list)
    """The calls of models, titles included."""
    results: dict[str, str] = field(default_factory=dict)
    """What tools returned, by the ids of the calls."""
    first_text_seconds: float | None = None
    """From the request to the first text of the answer."""

    @property
    def text(self) -> str:
        """The assistant's words; several messages are separated by an empty line."""
        messages = [item for item in self.new if isinstance(item, AssistantMessageItem)]
        return "\n\n".join("".join(part.text for part in each.content) for each in messages)

    @property
    def widgets(self) -> list[WidgetItem]:
        """The cards that were shown, and those that were drawn anew."""
        return [item for item in self.new if isinstance(item, WidgetItem)]

    @property
    def widget(self) -> WidgetItem:
        """The only card of `widgets`."""
        return only(self.widgets, "card")

    @property
    def sent(self) -> list[ModelCall]:
        """What the model got, once for each of its calls but those for a title: `input` is the
        history, `system_instructions` and `tools` are the agent's.
        """
        return [each.call for each in self.asked if not each.is_title]

    @property
    def calls(self) -> list[ToolCall]:
        """The tools that the model called, in order."""
        returned = dict(self.results)
        for each in self.asked:
            for item in [] if isinstance(each.call.input, str) else each.call.input:
                if item.get("type") == "function_call_output":
                    output = str(item["output"])
                    returned.setdefault(item["call_id"], data_in(output) or output)
        return [
            ToolCall(call.name, _arguments(call.arguments), returned.get(call.call_id))
            for each in self.asked
            for call in each.output
            if isinstance(call, ResponseFunctionToolCall)
        ]

    @property
    def call(self) -> ToolCall:
        """The only call of `calls`."""
        return only(self.calls, "call of a tool")

    @property
    def client_tool(self) -> ClientToolCallItem:
        """The tool of the page that waits for its result: `name` and `arguments`."""
        waiting = [item for item in self.new if isinstance(item, ClientToolCallItem)]
        return only([item for item in waiting if item.status == "pending"], "tool of the page")

    @property
    def effects(self) -> dict[str, dict[str, Any]]:
        """The data of the page's effects, by their names."""
        return {e.name: e.data for e in self.events if isinstance(e, ClientEffectEvent)}

    @property
    def progress(self) -> list[str]:
        """The texts of the progress, without the empty one that ends an answer."""
        found = [e.text for e in self.events if isinstance(e, ProgressUpdateEvent)]
        return [text for text in found if text]

    @property
    def notices(self) -> list[str]:
        return [event.message for event in self.events if isinstance(event, NoticeEvent)]

    @property
    def error(self) -> str | None:
        """What the visitor reads of a failure after the answer had begun, without the run's id."""
        for event in self.events:
            if isinstance(event, ErrorEvent):
                return without_run(event.message or event.code)
        return None

    @property
    def tokens(self) -> int:
        """Tokens in and out, as the model has reported them."""
        return sum(each.input_tokens + each.output_tokens for each in self.asked)


def only(found: Sequence[T], what: str) -> T:
    """The only one. Raises `AssertionError` when there is none, or more than one."""
    if len(found) != 1:
        raise AssertionError(f"there is not one {what}, but {len(found)}: {list(found)!r}")
    return found[0]


def shows_text(event: ThreadStreamEvent) -> bool:
    return isinstance(event, ThreadItemUpdatedEvent) and isinstance(
        event.update, AssistantMessageContentPartTextDelta
    )


def _arguments(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {"": text}
    return found if isinstance(found, dict) else {"": found}
