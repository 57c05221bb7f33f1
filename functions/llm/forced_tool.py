"""A model that is forced to call a tool once for a message, and not again and again.

The Agents SDK takes a choice back after the first tool, unless the agent's author has set
`reset_tool_choice=False`. Then a tool by name, as a visitor picks it from the page's menu, would be
called until the run has no turns left.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from agents import ModelResponse, ModelSettings, TResponseInputItem
from agents.items import TResponseStreamEvent

from .length import last_turn
from .wrapped import WrappedModel

_Input = str | list[TResponseInputItem]


class ForceToolOnce(WrappedModel):
    """Wraps a model. A tool that was called since the newest message is not forced again."""

    async def get_response(
        self,
        system_instructions: str | None,
        input: _Input,  # noqa: A002 - the SDK's name
        model_settings: ModelSettings,
        *args: Any,
        **kwargs: Any,
    ) -> ModelResponse:
        settings = _once(model_settings, input)
        return await self._model.get_response(system_instructions, input, settings, *args, **kwargs)

    async def stream_response(
        self,
        system_instructions: str | None,
        input: _Input,  # noqa: A002 - the SDK's name
        model_settings: ModelSettings,
        *args: Any,
        **kwargs: Any,
    ) -> AsyncIterator[TResponseStreamEvent]:
        settings = _once(model_settings, input)
        events: Any = self._model.stream_response(
            system_instructions, input, settings, *args, **kwargs
        )
        async with aclosing(events):
            async for event in events:
                yield event


def _once(settings: ModelSettings, given: _Input) -> ModelSettings:
    turn: list[Any] = [] if isinstance(given, str) else [*last_turn(given)]
    called = [item.get("name") for item in turn if item.get("type") == "function_call"]
    return replace(settings, tool_choice=None) if settings.tool_choice in called else settings
