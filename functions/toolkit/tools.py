"""Tools: plain async functions that a model can call."""

import functools
import inspect
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, overload

from pydantic import ValidationError
from pydantic_core import to_json

from ..characters import whole
from ..context import PageAbility
from ..errors import PublicError, first_problem
from ..spans import span
from .turn import Turn

if TYPE_CHECKING:
    from agents import FunctionTool

P = ParamSpec("P")
ToolFunction = Callable[Concatenate[Turn, P], Awaitable[Any]]

Need = PageAbility | Literal["knowledge"]
"""What a tool cannot do without: an ability of the page, or documents (`Turn.knowledge`)."""

TOOL_TIMEOUT = 30.0
"""Seconds, unless `@tool(timeout=…)` says otherwise. When a tool takes longer, the model is told
so."""

FAILED = "The tool failed"
"""Begins what the model is told in place of a result. The log has the reason: an exception may
quote what another user must not see."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tool:
    """A function that a model can call by its name."""

    function: Callable[..., Awaitable[Any]]
    ends_turn: bool = False
    needs: Need | None = None
    roles: frozenset[str] = frozenset()
    """The user needs one of these. Everybody may use a tool without any."""
    needs_approval: bool = False
    timeout: float = TOOL_TIMEOUT
    """Seconds."""

    @property
    def page_abilities(self) -> set[PageAbility]:
        """What the page must be able to do. An approval is a card with buttons."""
        needed: set[PageAbility] = {"widget_actions"} if self.needs_approval else set()
        if self.needs is None or self.needs == "knowledge":
            return needed
        return {*needed, self.needs}

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
        from agents.function_schema import function_schema  # noqa: PLC0415
        from agents.tool_context import ToolContext  # noqa: PLC0415

        @functools.wraps(self.function)
        async def call(wrapper: RunContextWrapper[Any], *args: Any, **kwargs: Any) -> str:
            # An agent that was given all tools, instead of `tools_for(turn)`, may offer this one.
            if self.roles and not wrapper.context.request_context.has_role(self.roles):
                logger.warning("the tool %s was called for a user without its role", self.name)
                return f"{FAILED}: this user may not use it."
            try:
                with span(f"execute_tool {self.name}"):
                    result = await self.function(wrapper.context, *args, **kwargs)
                return whole(result) if isinstance(result, str) else to_json(result).decode()
            except PublicError as error:
                return f"{FAILED}: {error.message}"
            except Exception:
                logger.exception("the tool %s failed", self.name)
                return f"{FAILED}."

        def timed_out(_wrapper: RunContextWrapper[Any], _error: Exception) -> str:
            logger.error("the tool %s took longer than %g s", self.name, self.timeout)
            return f"{FAILED}: it took longer than {self.timeout:g} seconds."

        def not_called(wrapper: RunContextWrapper[Any], _error: Exception) -> str:
            """What the model is told when its arguments did not fit. The SDK names no reason."""
            problem = ""
            if isinstance(wrapper, ToolContext):
                arguments = function_schema(call).params_pydantic_model
                try:
                    arguments.model_validate_json(wrapper.tool_arguments or "{}")
                except ValidationError as error:
                    problem = first_problem(error.errors(include_url=False, include_input=False))
            logger.warning("the model called the tool %s with wrong arguments", self.name)
            return f"{FAILED}: its arguments are not valid. {problem}".rstrip()

        # The SDK recognises its context by the annotation of the first parameter.
        first = next(iter(inspect.signature(self.function).parameters))
        call.__annotations__ = {**self.function.__annotations__, first: RunContextWrapper[Any]}
        return function_tool(
            call,
            failure_error_function=not_called,
            needs_approval=self.needs_approval,
            timeout=self.timeout,
            timeout_error_function=timed_out,
        )


@overload
def tool(function: ToolFunction[P], /) -> Tool: ...


@overload
def tool(
    *,
    ends_turn: bool = False,
    needs: Need | None = None,
    roles: Collection[str] = (),
    needs_approval: bool = False,
    timeout: float = TOOL_TIMEOUT,
) -> Callable[[ToolFunction[P]], Tool]: ...


def tool(
    function: ToolFunction[P] | None = None,
    /,
    *,
    ends_turn: bool = False,
    needs: Need | None = None,
    roles: Collection[str] = (),
    needs_approval: bool = False,
    timeout: float = TOOL_TIMEOUT,
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
    actions of widgets (`widget_actions`), or where documents are indexed (`knowledge`). A tool with
    `roles` is offered only to people who have one of them, by the model and in the page's menu. A
    tool with `needs_approval` runs only when the visitor has approved the call on a card: see
    `docs/approvals.md`. `timeout` is in seconds.

    When the function raises, the log has the exception and the model is told that the tool failed.
    It is told the message of an `ActionError`, too, because that is written for people.
    """
    if isinstance(roles, str):
        raise TypeError(f"roles={roles!r} is one text: write {{{roles!r}}}")
    asked = frozenset(roles)

    def declare(function: ToolFunction[P]) -> Tool:
        return Tool(function, ends_turn, needs, asked, needs_approval, timeout)

    return declare if function is None else declare(function)
