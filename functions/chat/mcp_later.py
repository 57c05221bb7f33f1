"""Imports the Agents SDK without MCP, so that a cold start does not load MCP.

The Agents SDK imports all of MCP, which takes a quarter of a cold start (measured by
`tests.bench.cold_start`). It needs only `mcp.shared.exceptions.MCPError`, and only for
`isinstance` (`agents/mcp/_compat.py`, 0.24.0). So a stub module has that name while the SDK is
imported. Code that imports `mcp` later, such as an agent with MCP servers, gets the real package.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_NAME = "mcp.shared.exceptions"


class _AnyMCPError(type):
    """Makes `isinstance` check the real class. Before that is imported, nothing is an instance."""

    def __instancecheck__(cls, instance: object) -> bool:
        real = sys.modules.get(_NAME)
        return real is not None and isinstance(instance, real.MCPError)


class MCPError(Exception, metaclass=_AnyMCPError):
    """Replaces MCP's class of this name in the SDK. It is never raised."""


def import_agents() -> None:
    """Import the Agents SDK without MCP. Does nothing when either is imported already."""
    if "agents" in sys.modules or "mcp" in sys.modules:
        return
    stub: Any = ModuleType(_NAME, __doc__)
    stub.MCPError = MCPError
    sys.modules[_NAME] = stub
    try:
        import_module("agents")
    finally:
        del sys.modules[_NAME]
