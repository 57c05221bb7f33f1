"""Tools: plain async functions that a model can call."""

import functools
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, overload

from pydantic_core import to_json

from ..context import PageAbility
from .turn import Turn

if TYPE_CHECKING:
    from agents import FunctionTool

P = ParamSpec("P")
ToolFunction = Callable[Concatenate[Turn, P], Awaitable[Any]]

TOOL_TIMEOUT = 30.0
"""Seconds. When a tool takes longer, the model is told so."""


@dataclass(frozen=True)
class Tool:
    """A function that a model can call by its name."""

    function: Callable[..., Awaitable[Any]]
    ends_turn: bool = False
    needs: PageAbility | None = None

    @property
    def name(self) -> str:
        return self.function.__name__

    @functools.cached_property
    def function_tool(self) -> "FunctionTool":
        """The tool as a tool of the Agents SDK, made once.

        The SDK is imported here and not above, because the import takes a second and the second
        function never needs it.
        """
        from agents import RunContextWrapper, function_tool  # noqa: PLC0415

        @functools.wraps(self.function)
        async def call(wrapper: RunContextWrapper[Any], *args: Any, **kwargs: Any) -> str:
            result = await self.function(wrapper.context, *args, **kwargs)
            return result if isinstance(result, str) else to_json(result).decode()

        # The SDK recognises its context by the annotation of the first parameter.
        first = next(iter(inspect.signature(self.function).parameters))
        call.__annotations__ = {**self.function.__annotations__, first: RunContextWrapper[Any]}
        return function_tool(call, timeout=TOOL_TIMEOUT)


@overload
def tool(function: ToolFunction[P], /) -> Tool: ...


@overload
def tool(
    *, ends_turn: bool = False, needs: PageAbility | None = None
) -> Callable[[ToolFunction[P]], Tool]: ...


def tool(
    function: ToolFunction[P] | None = None,
    /,
    *,
    ends_turn: bool = False,
    needs: PageAbility | None = None,
) -> Tool | Callable[[ToolFunction[P]], Tool]:
    """Declare an async function as a tool. Its first parameter is the `Turn`.

        @tool
        async def roll_dice(turn: Turn, sides: int) -> int:
            "Rolls a die."
            return random.randint(1, sides)

    The model gets the function's name, its docstring and the types of the other parameters. The
    arguments that it sends are validated. The result may be any value that pydantic can convert to
    JSON: text, numbers, `Decimal`, `datetime`, `UUID`, dataclasses, models, and lists of these.
    With `ends_turn`, the answer ends after this tool, and the assistant waits for the page or for
    the visitor. For that, the agent needs `Assistant.tool_use_behavior`. A tool with `needs` is
    offered only where the page can do that: run tools of its own (`client_tools`), or handle the
    actions of widgets (`widget_actions`).
    """
    if function is None:
        return lambda function: Tool(function, ends_turn, needs)
    return Tool(function, ends_turn, needs)
