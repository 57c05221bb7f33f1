"""Gives an agent the tools of the MCP servers of its turn."""

import asyncio
from typing import TYPE_CHECKING, Any

from agents import Agent

from ..mcp.failure import McpError
from ..mcp.servers import McpServer
from ..services import Services

if TYPE_CHECKING:
    from .mcp_tools import TurnServer
    from .turn import ServedTurn


async def connected(turn: "ServedTurn", services: Services) -> "list[TurnServer]":
    """The servers of the turn that answer, with their tools.

    The visitor is told of the others. A server that needs the token of a person is left out for
    visitors who have not signed in.
    """
    servers = await services.assistant.mcp_servers(turn)
    found = await asyncio.gather(*(_connect(server, turn) for server in servers))
    return [server for server in found if server is not None]


def with_servers(agent: Agent[Any], servers: "list[TurnServer]") -> Agent[Any]:
    """The agent with the servers besides its own.

    Their tools are named after the server, too (`mcp_shop__find`), so that none hides another.
    """
    if not servers:
        return agent
    return agent.clone(
        mcp_servers=[*agent.mcp_servers, *servers],
        mcp_config={**agent.mcp_config, "include_server_in_tool_names": True},
    )


async def _connect(server: McpServer, turn: "ServedTurn") -> "TurnServer | None":
    try:
        if (reached := turn.reach(server)) is None:
            return None
        tools = await reached.tools()
    except McpError:
        await turn.tell_unreached(server)
        return None
    # It imports the SDK's part for MCP, which is imported only where it is used.
    from .mcp_tools import TurnServer  # noqa: PLC0415

    return TurnServer(reached, tools, turn)
