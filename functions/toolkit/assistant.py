"""`Assistant`: the interface between the engine and an assistant."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from ..context import RequestContext
from ..llm.demo_script import DemoScript
from .actions import WidgetAction
from .entities import Entities, EntitySource
from .tools import FAILED, Tool
from .turn import Turn

if TYPE_CHECKING:
    from agents import Agent, FunctionToolResult, Model, ToolsToFinalOutputFunction

MAX_TITLE = 80

Named = TypeVar("Named", Tool, WidgetAction)


def modules_in(package: ModuleType) -> list[ModuleType]:
    """All modules of a package, sorted by name."""
    names = sorted(module.name for module in iter_modules(package.__path__))
    return [import_module(f"{package.__name__}.{name}") for name in names]


class Assistant(ABC):
    """The base class of an assistant: its agent, tools, actions and mentions.

    `features` are modules. Every `@tool`, `@action` and `@entity_source` at their top level belongs
    to the assistant. Subclass it and override its methods. The engine uses one instance for all
    requests.
    """

    def __init__(self, features: Iterable[ModuleType] = ()) -> None:
        # By identity, because a feature may import what another one declares.
        declared = {
            id(value): value for module in features for value in vars(module).values()
        }.values()
        self.tools = tuple(_by_name(each for each in declared if isinstance(each, Tool)).values())
        self.actions = _by_name(each for each in declared if isinstance(each, WidgetAction))
        self.entities = Entities(tuple(v for v in declared if isinstance(v, EntitySource)))

    max_turns = 10
    """Model calls for one message. The limit stops an endless loop of tool calls."""

    @abstractmethod
    def agent_for(self, turn: Turn, model: "Model", tool_choice: str | None) -> "Agent[Turn]":
        """The agent that answers one message.

        `model` is the model that the settings or the visitor chose. `tool_choice` is the name of
        the tool that the visitor picked from the menu, if any. Import the Agents SDK inside this
        method, because the import takes a second and the second function never calls it.
        """

    def tools_allowed(self, context: RequestContext) -> list[Tool]:
        """The tools that the user's roles allow."""
        return [tool for tool in self.tools if context.has_role(tool.roles)]

    def tools_for(self, turn: Turn) -> list[Tool]:
        """The tools to offer for one message: those that the user's roles allow, and for which the
        page can do its part.
        """
        request = turn.request_context
        return [
            tool
            for tool in self.tools_allowed(request)
            if tool.needs is None or request.page_can(tool.needs)
        ]

    def tool_use_behavior(self) -> "ToolsToFinalOutputFunction":
        """The Agents SDK's `tool_use_behavior` that ends the answer after tools with `ends_turn`.

        Give it to the agent in `agent_for`. After a tool that failed, the answer goes on: the
        visitor would otherwise read nothing.
        """
        from agents import ToolsToFinalOutputResult  # noqa: PLC0415 - the import takes a second

        ending = {tool.name for tool in self.tools if tool.ends_turn}

        def decide(_: Any, results: "list[FunctionToolResult]") -> ToolsToFinalOutputResult:
            for result in results:
                if result.tool.name in ending and not str(result.output).startswith(FAILED):
                    return ToolsToFinalOutputResult(True, result.output)
            return ToolsToFinalOutputResult(False)

        return decide

    async def title_for(self, message: str, model: "Model") -> str:  # noqa: ARG002
        """A title for a conversation that begins with `message`. It must not raise."""
        return short_title(message) or "New conversation"

    def demo(self) -> DemoScript:
        """The offline demo's texts, and the rules by which it calls the tools."""
        return DemoScript()


def _by_name(declared: Iterable[Named]) -> dict[str, Named]:
    found: dict[str, Named] = {}
    for each in declared:
        if each.name in found:
            raise ValueError(f"{each.name} is declared twice")
        found[each.name] = each
    return found


def short_title(text: str) -> str:
    """One line of at most 80 characters, without quotation marks around it."""
    line = " ".join(text.split()).strip("\"'“”„*# ")
    return line if len(line) <= MAX_TITLE else line[: MAX_TITLE - 1].rsplit(" ", 1)[0] + "…"
