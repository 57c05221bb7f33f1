"""The HTTP client of one connection to an MCP server.

The `mcp` package ends a connection, and with it every call in flight, when a single request of it
fails. So a failed request is answered here with an error of JSON-RPC, which fails that call alone
and says whether the server may have got it.
"""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any, Final

import httpx2

MAX_BYTES = 4 * 1024 * 1024
"""The longest answer that is read."""

UNREACHED: Final = -39001
"""The code of an error: the request did not reach the server."""
BROKEN: Final = -39002
"""The connection broke after the request was sent: the server may have done what it was asked."""
COMPRESSED: Final = -39003
"""The server compressed its answer, which was not asked for."""
STATUS: Final = -39000
"""The code of an error of HTTP is this number minus the status."""

SESSION = "mcp-session-id"
_UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)


class McpHttp(httpx2.AsyncClient):
    """An HTTP client that raises nothing when a request fails, and reads no endless answers.

    It keeps no connection open between requests: after Lambda has frozen the process, such a
    connection is dead, and a call on it fails in a way that may mean that it was made.
    """

    def __init__(self, headers: dict[str, str], *, connect_seconds: float, trust_env: bool) -> None:
        super().__init__(
            # The caller limits how long an answer may take.
            timeout=httpx2.Timeout(None, connect=connect_seconds),
            limits=httpx2.Limits(max_keepalive_connections=0),
            # A small compressed answer could unpack to a huge one.
            headers={"accept-encoding": "identity", **headers},
            trust_env=trust_env,
        )

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        try:
            response = await super().send(request, **options)
        except _UNSENT:
            return _error(request, UNREACHED)
        except httpx2.TransportError:
            return _error(request, BROKEN)
        if _is_failure(request, response):
            await response.aclose()
            return _error(request, STATUS - response.status_code)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            return _error(request, COMPRESSED)
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Bounded(response.stream)
        return response


def _is_failure(request: httpx2.Request, response: httpx2.Response) -> bool:
    """Whether the status says more than the body."""
    status = response.status_code
    # The specification has 404 for a session that the server does not know, and many servers send
    # 400: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports
    of_session = SESSION in request.headers and status in {400, 404}
    is_json = response.headers.get("content-type", "").startswith("application/json")
    return status == HTTPStatus.UNAUTHORIZED or of_session or (status >= 400 and not is_json)  # noqa: PLR2004 - errors


def _error(request: httpx2.Request, code: int) -> httpx2.Response:
    """An answer that the `mcp` package hands to whoever has sent the request."""
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": "failed"}}
    return httpx2.Response(HTTPStatus.BAD_GATEWAY, json=error, request=request)


class _Bounded(httpx2.AsyncByteStream):
    """A body of at most `MAX_BYTES`, which raises `StreamError` when it cannot be read.

    The `mcp` package takes this class of errors as a failure of one request.
    """

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        try:
            async for chunk in self._stream:
                size += len(chunk)
                if size > MAX_BYTES:
                    raise httpx2.StreamError("the answer is too long")
                yield chunk
        except httpx2.TransportError:
            raise httpx2.StreamError("the connection broke") from None

    async def aclose(self) -> None:
        await self._stream.aclose()
