"""An MCP server in one turn, as the Agents SDK asks for it. Imports `mcp`."""

import logging
from typing import TYPE_CHECKING, Any

from agents import AgentBase, RunContextWrapper
from agents.mcp import MCPServer
from mcp.types import (
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    GetPromptResult,
    ImageContent,
    ListPromptsResult,
    ResourceLink,
    TextContent,
    TextResourceContents,
    Tool,
)
from pydantic_core import to_json

from ..mcp.connections import Reached
from ..mcp.failure import McpError
from ..mcp.servers import McpServer
from ..spans import span
from ..toolkit.tools import FAILED

if TYPE_CHECKING:
    from .turn import ServedTurn

MAX_TOOL_OUTPUT = 40_000
"""Characters of text in one output: some 10,000 tokens."""
MAX_IMAGES = 2_000_000
"""Characters of the images (base64) in one output."""
MAX_SAID = 500

logger = logging.getLogger(__name__)


class TurnServer(MCPServer):
    """A server whose connection outlives the turn.

    The SDK's own classes let one call at a time through, so a visitor would wait for the calls of
    others.
    """

    def __init__(self, reached: Reached, tools: list[Tool], turn: "ServedTurn") -> None:
        super().__init__(require_approval=_approval(reached.server))
        self._reached = reached
        self._tools = tools
        self._turn = turn

    @property
    def name(self) -> str:
        return self._reached.server.name

    async def connect(self) -> None:
        """Nothing: it is connected."""

    async def cleanup(self) -> None:
        """Nothing: it stays connected."""

    async def list_tools(
        self,
        run_context: RunContextWrapper[Any] | None = None,  # noqa: ARG002 - the SDK's signature
        agent: AgentBase | None = None,  # noqa: ARG002
    ) -> list[Tool]:
        return self._tools

    async def call_tool(
        self,
        tool_name: str,
        arguments: dict[str, Any] | None,
        meta: dict[str, Any] | None = None,  # noqa: ARG002 - what the server said of the tool
    ) -> CallToolResult:
        """The output within its bounds, or what the model is told in place of it."""
        try:
            with span(f"execute_tool {tool_name}", "client"):
                return bounded(await self._reached.call(tool_name, arguments))
        except McpError as error:
            logger.warning("the tool %s of the MCP server %s: %s", tool_name, self.name, error.kind)
            if error.gone:
                await self._turn.tell_unreached(self._reached.server)
            told = f"{FAILED}: {error.kind}. {error.said[:MAX_SAID]}".rstrip()
            if error.gone and not error.unheard:
                told += " What it was asked for may have been done."
            return CallToolResult(content=[TextContent(text=told)], is_error=True)

    async def list_prompts(self) -> ListPromptsResult:
        return ListPromptsResult(prompts=[])

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None
    ) -> GetPromptResult:
        raise NotImplementedError("the engine offers the tools of a server, and no prompts")


def _approval(server: McpServer) -> Any:
    if server.approve != "changes":
        return dict.fromkeys(server.approve, "always")

    def changes(_context: RunContextWrapper[Any], _agent: AgentBase, tool: Tool) -> bool:
        return tool.annotations is None or tool.annotations.read_only_hint is not True

    return changes


def bounded(result: CallToolResult) -> CallToolResult:
    """The result with at most `MAX_TOOL_OUTPUT` characters of text and `MAX_IMAGES` of images."""
    texts, images = MAX_TOOL_OUTPUT, MAX_IMAGES
    content: list[ContentBlock] = []
    for part in result.content:
        if isinstance(part, ImageContent) and len(part.data) <= images:
            images -= len(part.data)
            content.append(part)
            continue
        text = _text(part)
        if len(text) > texts:
            text = f"{text[:texts]}\n[{len(text) - texts} more characters were left out.]"
            texts = 0
        else:
            texts -= len(text)
        content.append(TextContent(text=text))
    if not content and result.structured_content is not None:
        whole = TextContent(text=to_json(result.structured_content).decode())
        return bounded(CallToolResult(content=[whole], is_error=result.is_error))
    return CallToolResult(content=content, is_error=result.is_error)


def _text(part: ContentBlock) -> str:
    match part:
        case TextContent(text=text):
            return text
        case EmbeddedResource(resource=TextResourceContents(text=text)):
            return text
        case ResourceLink():
            return part.model_dump_json(exclude_none=True)
    return f"[The tool also gave something of the kind {part.type}, which was left out.]"
