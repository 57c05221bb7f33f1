"""A model's input as strict providers take it.

Chat templates of open models, of Mistral for instance, refuse a conversation that does not begin
with the user, or in which one role speaks twice, or in which the user speaks right after a tool.
Most providers refuse a tool's output without its call.
"""

import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from agents import TResponseInputItem

from ..marks import as_data

NO_ANSWER = "[There was no answer.]"
"""Between a tool's output and the next message of the user, after a run that was stopped."""


def in_turns(items: Sequence[Any]) -> list[TResponseInputItem]:
    """The items from the first message of the user on, with neighbours of one role merged.

    What the assistant itself says before, as the system or the developer, stays.
    """
    first = next((at for at, item in enumerate(items) if item.get("role") == "user"), 0)
    own = [item for item in items[:first] if item.get("role") in {"system", "developer"}]
    merged: list[Any] = []
    for item in [*own, *items[first:]]:
        last = merged[-1] if merged else {}
        if item.get("role") is not None and item.get("role") == last.get("role"):
            merged[-1] = _joined(last, item)
        else:
            if item.get("type") == "function_call" and last.get("role") == "assistant":
                merged[-1] = _before_a_call(last)
            if item.get("role") == "user" and last.get("type") == "function_call_output":
                merged.append({"type": "message", "role": "assistant", "content": NO_ANSWER})
            merged.append(item)
    return merged


def with_json_arguments(items: Sequence[Any]) -> list[TResponseInputItem]:
    """The items with JSON for the arguments of each call.

    A model may write something else. It is told so, and its call is part of the next request.
    """
    return [_with_json_arguments(item) for item in items]


def with_marked_outputs(items: Sequence[Any]) -> list[TResponseInputItem]:
    """The items with the output of each tool marked as data: our tools, the page's and MCP's.

    Outputs come unmarked: the Agents SDK gives its filter the original items for each request.
    """
    return [_with_marked_output(item) for item in items]


def _with_marked_output(item: Any) -> Any:
    if item.get("type") != "function_call_output":
        return item
    output = item["output"]
    if isinstance(output, str):
        return {**item, "output": as_data("a tool", output)}
    if all(part.get("type") == "input_text" for part in output):
        # Of MCP's tools. Not every server with OpenAI's API takes a tool's output in parts.
        return {**item, "output": as_data("a tool", "\n".join(part["text"] for part in output))}
    parts = [
        {**part, "text": as_data("a tool", part["text"])} if part.get("text") else part
        for part in output
    ]
    return {**item, "output": parts}


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
    """Two messages of one role as one."""
    before, after = first["content"], second["content"]
    if isinstance(before, str) and isinstance(after, str):
        return {**first, "content": f"{before}\n\n{after}"}
    # A message with parts may have fields that the Agents SDK knows it by.
    whole = first if isinstance(after, str) else second
    return {**whole, "content": [*_parts(first), *_parts(second)]}


def _parts(message: Any) -> list[Any]:
    content: Any = message["content"]
    if not isinstance(content, str):
        return list(content)
    if message["role"] == "assistant":
        return [{"type": "output_text", "text": content, "annotations": []}]
    return [{"type": "input_text", "text": content}]


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
