"""MCP is imported when something of it is used, and not by every cold start.

To tell errors of MCP servers from others, the Agents SDK imports all of MCP as it is
imported itself: a quarter of the whole start (measured by `tests.bench.cold_start`).
It needs one name of it, `mcp.shared.exceptions.MCPError`, and that for `isinstance`
alone (`agents/mcp/_compat.py`, 0.24.0). So a stand-in has that name until somebody
imports `mcp`, an agent with MCP servers above all; then all is as it would have been.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_NAME = "mcp.shared.exceptions"


class _AnyMCPError(type):
    """`isinstance` asks the real class, once there is one; before, nothing can be its instance."""

    def __instancecheck__(cls, instance: object) -> bool:
        real = sys.modules.get(_NAME)
        return real is not None and not _stands_in(real) and isinstance(instance, real.MCPError)


class MCPError(Exception, metaclass=_AnyMCPError):
    """Stands in for MCP's own. Nobody raises it."""


class _Door:
    """Among the finders of modules: makes room for the real one when `mcp` is asked for."""

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - the import system's signature
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if name == "mcp":
            sys.meta_path.remove(self)
            sys.modules.pop(_NAME, None)
        return None


def install() -> None:
    """Call it before `agents` is imported; after that it does nothing."""
    if "agents" in sys.modules or "mcp" in sys.modules or _NAME in sys.modules:
        return
    stand_in: Any = ModuleType(_NAME, __doc__)
    stand_in.MCPError = MCPError
    sys.modules[_NAME] = stand_in
    sys.meta_path.insert(0, _Door())


def _stands_in(module: Any) -> bool:
    return module.MCPError is MCPError
