"""What the tools of an agent's run returned, kept for the next turns.

ChatKit's items have what a visitor sees, so an order that a tool has found would be forgotten. The
calls of a run and their outputs are one hidden item, right behind the message that the run
answers. In a model's input they stand there again.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from hashlib import sha256
from typing import Any, Final

from agents.items import RunItem
from chatkit.types import ClientToolCallItem, ThreadItem

from ..characters import whole
from ..llm.length import BYTES_OF_A_TOKEN, bounded, short_outputs, tokens
from .own_items import own_content

OUTPUT_TOKENS: Final = 2_000
"""What is kept of one output. The middle of a longer one is left out."""

RUN_TOKENS: Final = 8_000
"""What is kept of all calls of one run. Of more, the oldest outputs are cut."""

ID_LENGTH: Final = 9
"""Mistral takes only ids of nine letters and digits."""

_OUTPUT: Final = "function_call_output"
_CALLS: Final = "calls"
_MODEL: Final = "model"

Calls = list[dict[str, Any]]
"""Calls and their outputs as a model's input, with encrypted reasoning before them."""


def calls_of(run: Iterable[RunItem], *, without: Collection[str]) -> Calls:
    """The calls of function tools that have an output, and the outputs.

    A run that was stopped has calls without an output, which a provider would refuse. `without` are
    the ids of the page's calls, which ChatKit keeps. Where the answer goes on after one of these,
    encrypted reasoning stays with the call after it. Other reasoning is only known to a provider
    that stores it.
    """
    found = [_as_input(item) for item in run]
    called = {each.get("call_id") for each in found if each.get("type") == "function_call"}
    returned = {each.get("call_id") for each in found if each.get("type") == _OUTPUT}
    paired = (called & returned).difference(without)
    kept: Calls = []
    reasoning: Calls = []
    for each in found:
        match each.get("type"):
            case "reasoning" if each.get("encrypted_content"):
                reasoning.append(_fields(each, "type", "summary", "encrypted_content"))
            case "function_call" | "function_call_output" if each.get("call_id") in paired:
                kept += [*reasoning, _bounded(each)]
                reasoning = []
            case _:
                reasoning = []
    return _bounded_run(kept if without else _without_reasoning(kept))


def _as_input(item: RunItem) -> dict[str, Any]:
    """The item as a model's input; empty for messages, hand-offs and everything else."""
    if item.type in {"tool_call_item", "tool_call_output_item", "reasoning_item"}:
        return {**item.to_input_item()}
    return {}


def content_of(calls: Calls, model: str | None) -> dict[str, Any]:
    """The content of the hidden item. `model` names the model, with its provider."""
    return {_CALLS: calls, _MODEL: model}


def in_places(
    history: Sequence[ThreadItem], model: str | None
) -> tuple[list[ThreadItem], dict[str, Calls]]:
    """The history as a `ThreadItemConverter` takes it, and the calls for `with_calls`.

    Each converter knows a finished call of a client tool. Such a call stands for the hidden item
    and has its id. `model` is the one that gets the input.

    Reasoning goes back while its message is being answered, and to the model that it is from. Later
    OpenAI drops it (https://cookbook.openai.com/examples/responses_api/reasoning_items), and what a
    provider cannot verify any more ends the conversation for good
    (https://github.com/openai/codex/issues/8119).
    """
    items: list[ThreadItem] = []
    calls: dict[str, Calls] = {}
    asked = max((at for at, each in enumerate(history) if each.type == "user_message"), default=-1)
    for at, item in enumerate(history):
        kept: Calls | None = own_content(item, _CALLS)
        if kept is None:
            items.append(item)
        elif kept:
            if model is None or own_content(item, _MODEL) != model:
                calls[item.id] = _for_another_model(item.id, kept)
            else:
                calls[item.id] = kept if at > asked else _without_reasoning(kept)
            items.append(_place(item))
    return items, calls


def with_calls(told: Iterable[Any], calls: dict[str, Calls]) -> list[Any]:
    """A converter's input with the calls in their places."""
    filled: list[Any] = []
    for each in told:
        kept = calls.get(each.get("call_id", ""))
        if kept is None:
            filled.append(each)
        elif each["type"] == "function_call":
            filled += kept
    return filled


def _place(item: ThreadItem) -> ClientToolCallItem:
    return ClientToolCallItem(
        id=item.id,
        thread_id=item.thread_id,
        created_at=item.created_at,
        status="completed",
        call_id=item.id,
        name=_CALLS,
        arguments={},
        output=None,
    )


def _for_another_model(item_id: str, calls: Calls) -> Calls:
    """The calls without what only the model understands that has made them."""
    return [
        {
            **{name: value for name, value in each.items() if name != "provider_data"},
            "call_id": sha256(f"{item_id} {each['call_id']}".encode()).hexdigest()[:ID_LENGTH],
        }
        for each in _without_reasoning(calls)
    ]


def _without_reasoning(calls: Calls) -> Calls:
    return [each for each in calls if each["type"] != "reasoning"]


def _bounded(item: dict[str, Any]) -> dict[str, Any]:
    if item["type"] == _OUTPUT:
        text = bounded(whole(_text(item["output"])), OUTPUT_TOKENS)
        return {**_fields(item, "type", "call_id"), "output": text}
    arguments = whole(item["arguments"])
    if len(arguments.encode()) > OUTPUT_TOKENS * BYTES_OF_A_TOKEN:
        arguments = json.dumps({"left_out": f"{len(arguments):,} characters"})
    call = _fields(item, "type", "call_id", "name", "arguments", "provider_data")
    return {**call, "arguments": arguments}


def _bounded_run(calls: Calls) -> Calls:
    kept = calls if tokens(calls) <= RUN_TOKENS else short_outputs(calls, RUN_TOKENS // 2)
    while tokens(kept) > RUN_TOKENS:
        oldest = kept[0].get("call_id")
        kept = [each for each in kept[1:] if oldest is None or each.get("call_id") != oldest]
    return kept


def _text(output: Any) -> str:
    """An output as one text. A file or an image is only named: it may have megabytes."""
    if isinstance(output, str):
        return output
    return "\n".join(part.get("text") or f"[{part.get('type')}]" for part in output)


def _fields(item: dict[str, Any], *names: str) -> dict[str, Any]:
    """Without `id` and `status`: a provider that stores nothing knows no ids."""
    return {name: item[name] for name in names if item.get(name) is not None}
