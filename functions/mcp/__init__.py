"""Other people's tools: which MCP servers there are, and the connections to them.

Importing this package imports neither `mcp` nor the Agents SDK.
"""

from .connections import Connections, Person, Reached, load
from .failure import McpError
from .servers import McpServer, SecretName, TokenExchange

__all__ = [
    "Connections",
    "McpError",
    "McpServer",
    "Person",
    "Reached",
    "SecretName",
    "TokenExchange",
    "load",
]
