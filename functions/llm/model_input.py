"""A model's input as strict providers take it.

Chat templates of open models, of Mistral for instance, refuse a conversation that does not begin
with the user, or in which one role speaks twice. Most providers refuse a tool's output without its
call.
"""

import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from agents import TResponseInputItem


def in_turns(items: Sequence[Any]) -> list[TResponseInputItem]:
    """The items from the first message of the user on, with neighbours of one role merged."""
    first = next((at for at, item in enumerate(items) if item.get("role") == "user"), 0)
    merged: list[Any] = []
    for item in items[first:]:
        last = merged[-1] if merged else {}
        if item.get("role") is not None and item.get("role") == last.get("role"):
            merged[-1] = {**last, "content": _joined(last["content"], item["content"])}
        else:
            if item.get("type") == "function_call" and last.get("role") == "assistant":
                merged[-1] = _before_a_call(last)
            merged.append(item)
    return merged


def with_json_arguments(items: Sequence[Any]) -> list[TResponseInputItem]:
    """The items with JSON for the arguments of each call.

    A model may write something else. It is told so, and its call is part of the next request.
    """
    return [_with_json_arguments(item) for item in items]


def _with_json_arguments(item: Any) -> Any:
    if item.get("type") != "function_call":
        return item
    try:
        if isinstance(json.loads(item["arguments"] or "{}"), dict):
            return item if item["arguments"] else {**item, "arguments": "{}"}
    except ValueError:
        pass
    return {**item, "arguments": json.dumps({"invalid": item["arguments"]})}


def _joined(first: Any, second: Any) -> Any:
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_parts(first), *_parts(second)]


def _parts(content: Any) -> list[Any]:
    return [{"type": "input_text", "text": content}] if isinstance(content, str) else content


def _before_a_call(message: Any) -> Any:
    """The assistant's message in the form that the Agents SDK sends as one with the next call."""
    if not isinstance(text := message["content"], str):
        return message
    return {
        "type": "message",
        "role": "assistant",
        "id": f"msg_{uuid4().hex}",
        "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }
