"""A run that waits for approvals, as it is stored with its thread.

The Agents SDK gives its state as JSON. It holds the conversation and the tools' outputs, and
nothing of the request's context.
"""

import base64
import json
import zlib
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from ..llm.length import bounded, with_bounded_outputs
from ..toolkit.approvals import Status

_LEFT_OUT: Final = "[A file that was shown here is left out.]"
_SECRET: Final = frozenset({"authorization", "headers"})
"""What the configuration of a hosted MCP server may have. The agent has it again later."""


class Call(BaseModel):
    """One call that waits, and the card that shows it."""

    item: str
    tool: str
    arguments: str
    status: Status = "waiting"


class KeptRun(BaseModel):
    """A run of an agent that waits for approvals."""

    message: str | None
    """The id of the message that is answered."""
    calls: list[Call]
    state: str | None
    """The SDK's state, packed, or None when the run has gone on or was given up."""


def read(stored: Any) -> KeptRun | None:
    """What is stored; None when nothing is, or when another version has stored it."""
    try:
        return None if stored is None else KeptRun.model_validate(stored)
    except ValidationError:
        return None


def without_secrets(state: dict[str, Any]) -> dict[str, Any]:
    """The SDK's state without secrets of hosted MCP servers, and without the tokens that were
    counted already.
    """
    processed = state.get("last_processed_response") or {}
    requests = processed.get("mcp_approval_requests", [])
    return {
        **state,
        "context": {k: v for k, v in state["context"].items() if k != "usage"},
        "last_processed_response": processed
        and {
            **processed,
            "mcp_approval_requests": [
                {**each, "mcp_tool": _without(_SECRET, each["mcp_tool"])} for each in requests
            ],
        },
    }


def shortened(node: Any, max_output: int) -> Any:
    """The SDK's state with notes in place of files and images, and with outputs of tools of at most
    `max_output` tokens: a model gets no more of them.
    """
    if isinstance(node, list):
        return [shortened(each, max_output) for each in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") in {"input_image", "input_file"}:
        return {"type": "input_text", "text": _LEFT_OUT}
    node = {key: shortened(value, max_output) for key, value in node.items()}
    if node.get("type") == "tool_call_output_item" and isinstance(node.get("output"), str):
        node["output"] = bounded(node["output"], max_output)
    return with_bounded_outputs([node], max_output)[0]


def _without(names: frozenset[str], node: Any) -> Any:
    if isinstance(node, list):
        return [_without(names, each) for each in node]
    if isinstance(node, dict):
        return {k: _without(names, v) for k, v in node.items() if k not in names}
    return node


def packed(state: Any) -> str:
    """The state as compressed text. A state repeats most of its content, so this is far shorter."""
    return base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()


def unpacked(text: str) -> Any:
    return json.loads(zlib.decompress(base64.b64decode(text)))
