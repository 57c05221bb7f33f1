"""What goes wrong between us and an MCP server."""

import anyio

from .http_client import BROKEN, COMPRESSED, STATUS, UNREACHED

SERVER_ERROR = 500
_PARSE_ERROR = -32700
_KINDS = {
    UNREACHED: "it cannot be reached",
    BROKEN: "the connection broke",
    COMPRESSED: "it compresses its answers, which was not asked for",
    _PARSE_ERROR: "its answer cannot be read, or is too long",
}


class McpError(Exception):
    """A server did not do what it was asked for.

    `kind` is our own text, for the log. `said` is the server's, for the model.
    """

    def __init__(
        self, kind: str, *, gone: bool = True, unheard: bool = False, said: str = ""
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.gone = gone
        """Whether the server or the connection to it failed, and not only what was asked for."""
        self.unheard = unheard
        """Whether it is certain that the server has done nothing."""
        self.said = said


def failure_of(error: BaseException) -> McpError:
    """The failure that an exception of the `mcp` package stands for."""
    from mcp.shared.exceptions import MCPError  # noqa: PLC0415 - see `session.load`
    from mcp.types import CONNECTION_CLOSED  # noqa: PLC0415

    match error:
        case McpError():
            return error
        case BaseExceptionGroup():
            return failure_of(error.exceptions[0])
        case MCPError(code=code) if code in _KINDS or code == CONNECTION_CLOSED:
            return McpError(_KINDS.get(code, _KINDS[BROKEN]), unheard=code == UNREACHED)
        case MCPError(code=code) if STATUS - 600 < code < STATUS - 300:
            status = STATUS - code
            # An error of the client's, such as an unknown session: the server has refused it.
            return McpError(f"it answered with status {status}", unheard=status < SERVER_ERROR)
        case MCPError(message=message):
            return McpError("it answered with an error", gone=False, said=message)
        case anyio.ClosedResourceError() | anyio.BrokenResourceError() | anyio.EndOfStream():
            return McpError(_KINDS[BROKEN])
    return McpError(f"its answer cannot be used ({type(error).__name__})", gone=False)
