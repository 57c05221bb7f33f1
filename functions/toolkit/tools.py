"""Makes a plain async function into a tool whose results a model can read."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec

from agents import FunctionTool, RunContextWrapper, function_tool
from chatkit.agents import AgentContext
from pydantic import SkipValidation
from pydantic_core import to_json

from ..context import RequestContext
from .documents import AssistantData


class AssistantContext(AgentContext[RequestContext]):
    """What a tool knows of the turn that it is called in."""

    data: SkipValidation[AssistantData]
    """What the assistant keeps for this person, in the table."""


Turn = RunContextWrapper[AssistantContext]
"""A tool's first argument: `turn.context.data`, `turn.context.stream_widget(…)`,
`turn.context.stream(event)`, `turn.context.request_context.user_id`."""

P = ParamSpec("P")
TIMEOUT = 30.0
"""Seconds that a tool may take; then the model is told that it took too long."""


def tool(function: Callable[Concatenate[Turn, P], Awaitable[Any]]) -> FunctionTool:
    """A tool named and described by `function`, its arguments checked by their types.

    The result may be anything that pydantic can write as JSON: models, dataclasses,
    `Decimal`, `datetime`, `UUID`. (The SDK alone would hand the model their `repr`.)
    """

    @functools.wraps(function)
    async def as_json(turn: Turn, *args: P.args, **kwargs: P.kwargs) -> str:
        result = await function(turn, *args, **kwargs)
        return result if isinstance(result, str) else to_json(result).decode()

    return function_tool(as_json, timeout=TIMEOUT)
