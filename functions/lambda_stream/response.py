"""Streams one answer to the Runtime API: `POST …/response`, chunk by chunk."""

import asyncio
import json
from collections.abc import Iterable

from .context import Context
from .faults import error_trailers
from .http1 import Connection

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_MAX_PRELUDE = 16 * 1024
_PIECE = 64 * 1024  # larger bodies are sent in pieces, so that framing copies less memory
_PADDING = b"\n"  # ignored in JSON, HTML and event streams


class Response:
    """The answer to one invocation.

    Every method may raise `OSError`. After that, or after a cancelled write, `broken` is true and
    only `cut` may be called.
    """

    def __init__(self, connection: Connection, context: Context) -> None:
        self._connection = connection
        self._context = context
        self._writing = asyncio.Lock()  # an app may send from two tasks, whose chunks must not mix
        self._wrote_body = False
        self.broken = False

    async def start(
        self, status: int, headers: Iterable[tuple[bytes, bytes]], *, bare: bool
    ) -> None:
        """Send status and headers. `bare` says that no body follows (HEAD, 204, 304).

        Raises `ValueError` when they exceed Lambda's limit.
        """
        prelude = _prelude(status, headers, bare=bare)
        head = [
            ("Content-Type", "application/vnd.awslambda.http-integration-response"),
            ("Lambda-Runtime-Function-Response-Mode", "streaming"),
            ("Transfer-Encoding", "chunked"),
            ("Trailer", "Lambda-Runtime-Function-Error-Type"),
            ("Trailer", "Lambda-Runtime-Function-Error-Body"),
        ]
        if self._context.invocation_id:
            head.append(("Lambda-Runtime-Invocation-Id", self._context.invocation_id))
        path = f"/2018-06-01/runtime/invocation/{self._context.request_id}/response"
        await self._send(self._connection.head("POST", path, head) + _chunk(prelude + bytes(8)))

    async def write(self, body: bytes) -> None:
        if not body:
            return  # an empty chunk would end the answer
        self._wrote_body = True
        if len(body) <= _PIECE:
            await self._send(_chunk(body))
            return
        view = memoryview(body)
        for start in range(0, len(body), _PIECE):
            await self._send(_chunk(view[start : start + _PIECE]))

    async def end(self) -> None:
        """End a complete answer. Adds a byte to an empty body, for which a Function URL waits."""
        padding = b"" if self._wrote_body else _chunk(_PADDING)
        await self._send(padding + b"0\r\n\r\n")

    async def fail(self, exc: BaseException) -> None:
        """End an incomplete answer with an error. Lambda then closes the caller's connection."""
        await self._send(b"0\r\n" + error_trailers(exc, self._context.request_id) + b"\r\n")

    async def acknowledged(self) -> tuple[int, bytes]:
        """Wait until Lambda has read the answer. Returns the status (202 is success) and body."""
        answer = await self._connection.read()
        return answer.status, answer.body

    def cut(self) -> None:
        self._connection.close()

    async def _send(self, data: bytes) -> None:
        async with self._writing:
            if self.broken:
                raise ConnectionError("the answer is broken")
            try:
                await self._connection.send(data)
            except BaseException:
                self.broken = True
                raise


def _chunk(data: "bytes | memoryview[int]") -> bytes:
    return b"".join((b"%x\r\n" % len(data), data, b"\r\n"))


def _prelude(status: int, headers: Iterable[tuple[bytes, bytes]], *, bare: bool) -> bytes:
    """Status, headers and cookies as JSON. Repeated headers are joined with commas
    (RFC 9110, 5.2). Cookies cannot be joined and form a separate list.
    """
    joined: dict[str, str] = {}
    cookies: list[str] = []
    for raw_name, raw_value in headers:
        name = raw_name.decode("latin-1").lower()
        value = raw_value.decode("latin-1")
        if name == "set-cookie":
            cookies.append(value)
        elif name in _HOP_BY_HOP or (name == "content-length" and (bare or int(value) == 0)):
            continue  # Lambda owns the connection, and a length of 0 would contradict the padding
        else:
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
    document = {"statusCode": status, "headers": joined, "cookies": cookies}
    prelude = json.dumps(document, separators=(",", ":")).encode()
    if len(prelude) > _MAX_PRELUDE:
        raise ValueError(f"status, headers and cookies take {len(prelude)} bytes of 16,384")
    return prelude
