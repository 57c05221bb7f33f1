"""The offline demo: a model of the Agents SDK that needs no key and no network.

It is a model and nothing else: it gets the same input as a real one, streams its
answer word by word, and calls the agent's tools by their names. What it cannot do
is understand; it goes by key words, and says so.
"""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from agents import Model, ModelResponse, Tool, TResponseInputItem, Usage
from agents.items import TResponseStreamEvent
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage

from .demo_events import message, stream
from .demo_script import DemoScript, result_in_words, short_title

_FILE = "(a file)"


@dataclass(frozen=True)
class _Heard:
    """What the model makes of its input."""

    text: str
    """The newest message of the visitor."""
    result: str | None
    """The output of the tool that was called for it, once there is one."""
    first: bool
    """Nothing was answered before."""


class DemoModel(Model):
    def __init__(self, script: DemoScript) -> None:
        self._script = script

    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 - the SDK's name
        model_settings: Any,
        tools: list[Tool],
        *_: Any,
        **__: Any,
    ) -> ModelResponse:
        output = _reply(self._script, system_instructions, input, model_settings, tools)
        return ModelResponse(output=[*output], usage=Usage(requests=1), response_id=None)

    async def stream_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 - the SDK's name
        model_settings: Any,
        tools: list[Tool],
        *_: Any,
        **__: Any,
    ) -> AsyncIterator[TResponseStreamEvent]:
        async for event in stream(
            _reply(self._script, system_instructions, input, model_settings, tools)
        ):
            yield event


def _reply(
    script: DemoScript,
    instructions: str | None,
    given: str | list[TResponseInputItem],
    model_settings: Any,
    tools: list[Tool],
) -> list[ResponseOutputMessage | ResponseFunctionToolCall]:
    heard = _listen(given)
    if not tools and "title" in (instructions or "").lower():
        return [message(short_title(heard.text))]
    if heard.result is not None:
        return [message(result_in_words(heard.result))]
    call = script.pick_tool(heard.text, {tool.name for tool in tools}, model_settings.tool_choice)
    if call is not None:
        # Before the call: after some tools the assistant waits, and says no more.
        introduction = [message(script.introduction)] if heard.first else []
        return [*introduction, _tool_call(*call)]
    if re.search(r"\b(story|long)\b", heard.text, re.IGNORECASE):
        return [
            message(f"{script.introduction}\n\n{script.story}" if heard.first else script.story)
        ]
    return [message(script.greeting if heard.first else script.answer(heard.text))]


def _tool_call(name: str, arguments: dict[str, Any]) -> ResponseFunctionToolCall:
    return ResponseFunctionToolCall(
        id=f"fc_{uuid4().hex}",
        call_id=f"call_{uuid4().hex}",
        name=name,
        arguments=json.dumps(arguments),
        type="function_call",
    )


def _listen(given: str | list[TResponseInputItem]) -> _Heard:
    if isinstance(given, str):
        return _Heard(given, None, first=True)
    text, result, first = "", None, True
    for item in given:
        role, kind = item.get("role"), item.get("type")
        if role == "user":
            said, told = _said(item)
            if told:
                result = said
            elif said:
                text, result = said, None
        elif role == "assistant":
            first = False
        elif kind == "function_call_output":
            result = str(item.get("output", ""))
    return _Heard(text, result, first)


def _said(item: Any) -> tuple[str, bool]:
    """The words of a user item, and whether they are the page's and not the visitor's.

    The SDK tells a model in the visitor's name what the visitor did and saw: a choice in a
    list and answers to questions are for the model to go on with, shown widgets are not.
    """
    content = item.get("content")
    words = content if isinstance(content, str) else " ".join(_word(part) for part in content or [])
    told = re.search(r"<(HiddenContext|StructuredInput)>\s*(.*?)\s*</\1>", words, re.DOTALL)
    if told is not None:
        return told[2], "cut off" not in words and "cancelled" not in words
    shown = "graphical UI widget" in words or "<Task>" in words or "<Mention>" in words
    return ("" if shown else words), False


def _word(part: Any) -> str:
    """A part of a message as the demo hears it: of a file, only that it is one."""
    text: str = part.get("text", _FILE)
    return _FILE if text.startswith("The user attached the file ") else text
