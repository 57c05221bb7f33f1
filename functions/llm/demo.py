"""The offline demo: a model of the Agents SDK that needs no key and no network.

It works like any other model: it gets the same input, streams its answer word by word, and calls
the agent's tools by their names. It understands nothing but key words, and says so.
"""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from agents import (
    AgentOutputSchemaBase,
    Handoff,
    Model,
    ModelResponse,
    Tool,
    TResponseInputItem,
    Usage,
)
from agents.items import TResponseStreamEvent
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage

from ..marks import data_in
from .demo_events import message, stream
from .demo_script import DemoScript, result_in_words, short_title

_FILE = "(a file)"


@dataclass(frozen=True)
class _Prompt:
    """What the demo reads from the model's input."""

    text: str
    """The newest message of the visitor."""
    result: str | None
    """The output of the last tool that was called for this message, or the visitor's answers to
    questions, if any."""
    acted: bool
    """Whether the newest thing that happened is an action of the visitor on a card."""
    first: bool
    """Whether this is the first answer of the conversation."""


class DemoModel(Model):
    def __init__(self, script: DemoScript) -> None:
        self._script = script

    async def get_response(  # noqa: PLR0917 - the SDK's signature
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 - the SDK's name
        model_settings: Any,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,  # noqa: ARG002 - the SDK's signature
        handoffs: list[Handoff],
        *_: Any,
        **__: Any,
    ) -> ModelResponse:
        names = _names(tools, handoffs)
        output = _reply(self._script, system_instructions, input, model_settings, names)
        return ModelResponse(output=[*output], usage=Usage(requests=1), response_id=None)

    async def stream_response(  # noqa: PLR0917
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 - the SDK's name
        model_settings: Any,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,  # noqa: ARG002 - the SDK's signature
        handoffs: list[Handoff],
        *_: Any,
        **__: Any,
    ) -> AsyncIterator[TResponseStreamEvent]:
        names = _names(tools, handoffs)
        output = _reply(self._script, system_instructions, input, model_settings, names)
        async for event in stream(output):
            yield event


def _names(tools: list[Tool], handoffs: list[Handoff]) -> set[str]:
    """What can be called by a model, hand-overs included."""
    return {tool.name for tool in tools} | {handoff.tool_name for handoff in handoffs}


def _reply(
    script: DemoScript,
    instructions: str | None,
    model_input: str | list[TResponseInputItem],
    model_settings: Any,
    tools: set[str],
) -> list[ResponseOutputMessage | ResponseFunctionToolCall]:
    prompt = _read_input(model_input)
    if not tools and "title" in (instructions or "").lower():
        return [message(short_title(prompt.text))]
    if prompt.acted:
        return [message(script.after_action)]
    if prompt.result is not None:
        return [message(result_in_words(prompt.result))]
    call = script.pick_tool(prompt.text, tools, model_settings.tool_choice)
    if call is not None:
        # Before the call, because the answer ends after some tools.
        introduction = [message(script.introduction)] if prompt.first else []
        return [*introduction, _tool_call(*call)]
    if re.search(r"\b(story|long)\b", prompt.text, re.IGNORECASE):
        return [
            message(f"{script.introduction}\n\n{script.story}" if prompt.first else script.story)
        ]
    return [message(script.greeting if prompt.first else script.answer(prompt.text))]


def _tool_call(name: str, arguments: dict[str, Any]) -> ResponseFunctionToolCall:
    return ResponseFunctionToolCall(
        id=f"fc_{uuid4().hex}",
        call_id=f"call_{uuid4().hex}",
        name=name,
        arguments=json.dumps(arguments),
        type="function_call",
    )


def _read_input(model_input: str | list[TResponseInputItem]) -> _Prompt:
    if isinstance(model_input, str):
        return _Prompt(model_input, None, acted=False, first=True)
    text, result, acted, first = "", None, False, True
    for item in model_input:
        role, kind = item.get("role"), item.get("type")
        if role == "user":
            words = []
            for content in _texts(item):
                if answers := _inside("StructuredInput", content):
                    result, acted = answers, False
                elif hidden := _inside("HiddenContext", content):
                    # When an answer was stopped, the SDK tells the model so in the same way.
                    acted = acted or not re.search(r"cut off|cancelled", hidden)
                elif content and not _is_context(content):
                    words.append(content)
                    result, acted = None, False
            text = " ".join(words) or text
        elif role == "assistant":
            first = False
        elif kind == "function_call_output":
            output = str(item.get("output", ""))
            output = data_in(output) or output
            # The agent that takes over answers the message, not the call that handed it over.
            result, acted = None if _is_hand_over(output) else output, False
    return _Prompt(text, result, acted, first)


def _is_hand_over(output: str) -> bool:
    """Whether this is what the SDK returns for a hand-over to another agent."""
    return re.fullmatch(r'\{"assistant": ".*"\}', output) is not None


def _texts(item: Any) -> list[str]:
    """The parts of a message of the user. Neighbouring messages are merged into one."""
    content = item.get("content")
    return [content] if isinstance(content, str) else [_part_text(part) for part in content or []]


def _inside(tag: str, text: str) -> str | None:
    """The SDK also tells a model as the user, between tags, what happened on the page."""
    found = re.search(rf"<{tag}>\s*(.*?)\s*</{tag}>", text, re.DOTALL)
    return None if found is None else found[1]


def _is_context(text: str) -> bool:
    """Whether a part of a message describes the page, a quotation or what the message mentions."""
    quotation = "The user is referring to this in particular"
    return text.startswith(("# User-provided context", quotation)) or data_in(text) is not None


def _part_text(part: Any) -> str:
    """The text of a part of a message. A file becomes `(a file)`."""
    text: str = part.get("text", _FILE)
    return _FILE if text.startswith("The user attached the file ") else text
