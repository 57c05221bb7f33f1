"""`Assistant`: the interface between the engine and an assistant.

The engine knows nothing else of an assistant. Every part has a default but the answer itself:
override `agent_for`, or `respond` for an assistant without the Agents SDK, or give `Assistant` an
agent.
"""

from collections.abc import AsyncIterator, Awaitable, Collection, Iterable, Sequence
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from chatkit.types import StreamOptions, ThreadStreamEvent
from chatkit.widgets import WidgetRoot
from pydantic import BaseModel

from ..context import RequestContext
from ..llm.demo_script import DemoScript
from ..mcp.servers import McpServer
from .actions import WidgetAction
from .approvals import DECIDE, Approval
from .entities import Entities, EntitySource
from .guardrails import Guardrail
from .knowledge import NO_SUPPORT
from .tools import FAILED, Tool
from .turn import Turn

if TYPE_CHECKING:
    from agents import (
        Agent,
        FunctionToolResult,
        RunConfig,
        RunHooks,
        ToolsToFinalOutputFunction,
        TResponseInputItem,
    )
    from chatkit.agents import ThreadItemConverter
    from fastapi import APIRouter

MAX_TITLE = 80

Named = TypeVar("Named", Tool, WidgetAction)


def modules_in(package: ModuleType) -> list[ModuleType]:
    """All modules of a package, sorted by name."""
    names = sorted(module.name for module in iter_modules(package.__path__))
    return [import_module(f"{package.__name__}.{name}") for name in names]


class Assistant:
    """The base class of an assistant. The engine uses one instance for all requests.

    `features` are modules or their names. Every `@tool`, `@action` and `@entity_source` at their
    top level belongs to the assistant. `agent` answers, unless a subclass overrides `agent_for` or
    `respond`.

    A `TYPE_CHECKING` import is enough for the types of the Agents SDK and of FastAPI here. Import
    the Agents SDK inside the methods: the import takes a second, and the second function never
    calls them.
    """

    max_turns: int = 10
    """Model calls for one message. The limit stops an endless loop of tool calls."""

    max_tool_output: int = 10_000
    """Tokens, estimated, that a model gets of one tool's output, whatever kind of tool it is. The
    middle of a longer one is left out, with a note for the model."""

    guardrails: Sequence[Guardrail] = ()
    """What is checked of each answer: see `toolkit.guardrails`."""

    headers: Collection[str] = ()
    """Request headers that the assistant gets in `request_context.headers`. The headers that open
    this app (`authorization`, `cookie`, `x-chatkit-*`, `x-amz-*`) are refused."""

    thread_data: type[BaseModel] | None = None
    """The model of `turn.thread_data`, which an assistant keeps for each conversation. Each of its
    fields needs a default."""

    routes: "APIRouter | None" = None
    """Further routes of the streaming function, under `/chatkit/x`: see `toolkit.routes`."""

    action_routes: "APIRouter | None" = None
    """Further routes of the second function, under `/actions/x`."""

    _refused_headers: ClassVar[tuple[str, ...]] = ("x-chatkit-", "x-amz-")

    def __init__(
        self, features: Iterable[ModuleType | str] = (), *, agent: "Agent[Any] | None" = None
    ) -> None:
        modules = [import_module(each) if isinstance(each, str) else each for each in features]
        # By identity, because a feature may import what another one declares.
        declared = {
            id(value): value for module in modules for value in vars(module).values()
        }.values()
        self.tools = tuple(_by_name(each for each in declared if isinstance(each, Tool)).values())
        self.actions = _by_name(each for each in declared if isinstance(each, WidgetAction))
        if DECIDE.name in self.actions:
            raise ValueError(f"{DECIDE.name} is the engine's action")
        self.entities = Entities(tuple(v for v in declared if isinstance(v, EntitySource)))
        self._agent = agent
        kind = type(self)
        if (
            agent is None
            and kind.agent_for is Assistant.agent_for
            and kind.respond is Assistant.respond
        ):
            raise TypeError(f"{kind.__name__} answers nothing: override agent_for or respond")
        for name in self.headers:
            lower = name.lower()
            if lower in {"authorization", "cookie"} or lower.startswith(self._refused_headers):
                raise ValueError(f"{name} opens this app: an assistant does not get it")

    # The answer.

    def agent_for(self, turn: Turn) -> "Agent[Any] | Awaitable[Agent[Any]]":  # noqa: ARG002
        """The agent that answers one message. An `async def` may read `turn.thread_data` first.

        An agent without a model gets the one that the settings or the visitor chose. An agent, also
        one that is handed over to, may name another model of the settings' provider.
        """
        if self._agent is None:
            raise NotImplementedError("turn.run_agent() needs agent_for, or an agent")
        return self._agent

    def respond(self, turn: Turn) -> AsyncIterator[ThreadStreamEvent]:
        """The answer to one message, as ChatKit's events. Runs `agent_for(turn)` by default.

        Override it (`async def` with `yield`) to answer without the Agents SDK, or to decide who
        answers. The engine stores what is done, keeps what is unfinished when the answer breaks
        off, gives ids, makes the title, and cancels the iterator at Stop and at the deadline.
        """
        return turn.run_agent()

    async def after(self, turn: Turn) -> AsyncIterator[ThreadStreamEvent]:  # noqa: ARG002
        """Events after a complete answer, such as a card that sums it up. None by default.

        When it raises, the log says so, and the answer stays as it is.
        """
        return
        yield

    # What a model gets, and how the agent runs.

    async def input_items(self, turn: Turn) -> "list[TResponseInputItem]":  # noqa: ARG002
        """Items before the history, such as facts about the customer. Empty by default.

        They are the assistant's own words: put what others wrote between the marks of `as_data`.
        """
        return []

    def converter(self, turn: Turn) -> "ThreadItemConverter":
        """What turns the history into a model's input: a `Converter`, or a subclass of yours."""
        from .converter import Converter  # noqa: PLC0415 - imports the Agents SDK

        return Converter(turn.files, turn.request_context)

    def run_config(self, turn: Turn) -> "RunConfig":  # noqa: ARG002
        """How the Agents SDK runs the agent.

        The engine sets `tracing_disabled` and `tool_not_found_behavior`, and `model_provider`
        unless it is another one than the SDK's default. It sends JSON for arguments and marks the
        outputs of tools after a `call_model_input_filter` of yours.
        """
        from agents import RunConfig  # noqa: PLC0415 - the import takes a second

        return RunConfig()

    def hooks(self, turn: Turn) -> "RunHooks[Any] | None":  # noqa: ARG002
        """Hooks of the Agents SDK for one run."""
        return None

    def speaker(self, turn: Turn, agent: "Agent[Any]") -> str | None:  # noqa: ARG002
        """The line that the page shows where `agent` speaks after another one; `None` for none.

        It names agents that are handed over to, and the first one when it answers again. It stays
        in the conversation, and no model gets it.
        """
        return f"{agent.name} has taken over"

    def unsupported(self, turn: Turn) -> str | None:  # noqa: ARG002
        """The line under a complete answer that cites no document although documents were searched
        for it; `None` for none. It stays in the conversation, and no model gets it.
        """
        return NO_SUPPORT

    def stream_options(self, turn: Turn) -> StreamOptions:  # noqa: ARG002
        """What the page may do with the stream. `allow_cancel=False` takes the Stop button away."""
        return StreamOptions(allow_cancel=True)

    def approval_card(self, turn: Turn, approval: Approval) -> WidgetRoot:  # noqa: ARG002
        """The card of a tool that runs only when the visitor approves it, or that was decided.

        A card that waits needs two buttons with the action `approval.decide` and the payloads
        `{"approve": true}` and `{"approve": false}`; a decided one has neither, and says what was
        decided (`approval.note`), because the model reads it there in later turns.
        """
        return approval.card()

    # The conversation.

    async def title(self, turn: Turn) -> str:
        """A title for a conversation: by default the first words of its first message.

        It is made while the first answer streams. When it raises, the first words are the title.
        """
        return short_title(turn.first_words)

    async def summary(self, turn: Turn, text: str) -> str:
        """A summary of a conversation's older part, which the model gets in its place.

        By default `turn.model` makes it. `text` says who said what and what tools returned, after
        the earlier summary if there is one. Of the result at most 1,000 tokens are kept. It is made
        while an answer streams, in at most 20 s. When it raises or is empty, the next message tries
        again. `CHATKIT_SUMMARIES=false` turns it off.
        """
        from .summary import summarise  # noqa: PLC0415 - imports the Agents SDK

        return await summarise(text, turn.model)

    # The tools, and what else the page's menu may name.

    def choices(self, context: RequestContext) -> Collection[str]:  # noqa: ARG002
        """What a visitor may pick from the page's tool menu beyond tools, such as another agent.

        `agent_for` and `respond` find the visitor's choice in `turn.tool_choice`.
        """
        return ()

    def tools_allowed(self, context: RequestContext) -> list[Tool]:
        """The tools that the user's roles allow."""
        return [tool for tool in self.tools if context.has_role(tool.roles)]

    def menu(self, context: RequestContext) -> list[str]:
        """The names that the page's tool menu may have for this user."""
        return [*(tool.name for tool in self.tools_allowed(context)), *self.choices(context)]

    def tools_for(self, turn: Turn) -> list[Tool]:
        """The tools to offer for one message: those that the user's roles allow, for which the page
        can do its part, and for which there are documents where they need some.
        """
        request = turn.request_context
        return [
            tool
            for tool in self.tools_allowed(request)
            if all(request.page_can(ability) for ability in tool.page_abilities)
            and (tool.needs != "knowledge" or turn.knowledge is not None)
        ]

    async def mcp_servers(self, turn: Turn) -> Sequence[McpServer]:
        """The MCP servers whose tools the agent has besides, by default those of the setting.

        The engine connects to them and keeps the connections. A server that acts for the person
        gets its headers from here, or a `TokenExchange` (docs/mcp.md). It never gets the token or
        the cookie that opens this app.
        """
        return turn.mcp_servers

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

    # The process, and the offline demo.

    async def start_up(self) -> None:
        """Called once in each environment of the streaming function, before its first request.

        With SnapStart that is before the snapshot: open no connection and read no secret here.
        """

    async def shut_down(self) -> None:
        """Called before an environment of the streaming function ends, as far as AWS tells it."""

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
    """One line of at most 80 characters, without quotation marks around it; never empty."""
    line = " ".join(text.split()).strip("\"'“”„*# ")
    line = line if len(line) <= MAX_TITLE else line[: MAX_TITLE - 1].rsplit(" ", 1)[0] + "…"
    return line or "New conversation"
