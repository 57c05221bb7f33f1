"""MCP is imported when something of it is used, and not by every cold start.

To tell errors of MCP servers from others, the Agents SDK imports all of MCP as it is
imported itself: a quarter of the whole start (measured by `tests.bench.cold_start`).
It needs one name of it, `mcp.shared.exceptions.MCPError`, and that for `isinstance`
alone (`agents/mcp/_compat.py`, 0.24.0). So a stand-in has that name while the SDK is
imported, and whoever imports `mcp` later, an agent with MCP servers above all, gets it.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_NAME = "mcp.shared.exceptions"


class _AnyMCPError(type):
    """`isinstance` asks the real class, once there is one; before, nothing can be its instance."""

    def __instancecheck__(cls, instance: object) -> bool:
        real = sys.modules.get(_NAME)
        return real is not None and isinstance(instance, real.MCPError)


class MCPError(Exception, metaclass=_AnyMCPError):
    """Stands in for MCP's own. Nobody raises it."""


def import_agents() -> None:
    """Import the Agents SDK without MCP, unless one of them is there already."""
    if "agents" in sys.modules or "mcp" in sys.modules:
        return
    stand_in: Any = ModuleType(_NAME, __doc__)
    stand_in.MCPError = MCPError
    sys.modules[_NAME] = stand_in
    try:
        import_module("agents")
    finally:
        del sys.modules[_NAME]
