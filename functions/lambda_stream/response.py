"""One streamed answer: `POST …/response`, chunk by chunk."""

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
_LONGEST_PRELUDE = 16 * 1024
_PIECE = 64 * 1024  # larger bodies go out in pieces: framing copies one, not the whole
_PADDING = b"\n"  # no meaning in JSON, HTML or an event stream


class Response:
    """The answer to one invocation. Every method may raise `OSError`; after that, or when
    a write was cancelled half-way, `broken` is true and only `cut` is left to call.
    """

    def __init__(self, connection: Connection, context: Context) -> None:
        self._connection = connection
        self._context = context
        self._writing = asyncio.Lock()  # an app may send from two tasks; chunks must not mix
        self._wrote_body = False
        self.broken = False

    async def start(
        self, status: int, headers: Iterable[tuple[bytes, bytes]], *, bare: bool
    ) -> None:
        """Send status and headers. `bare`: no body will follow (HEAD, 204, 304).

        Raises `ValueError` when they are larger than Lambda takes.
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
            return  # a chunk of no bytes would end the answer
        self._wrote_body = True
        if len(body) <= _PIECE:
            await self._send(_chunk(body))
            return
        view = memoryview(body)
        for start in range(0, len(body), _PIECE):
            await self._send(_chunk(view[start : start + _PIECE]))

    async def end(self) -> None:
        """End a whole answer. With no byte of body a Function URL would wait for one."""
        padding = b"" if self._wrote_body else _chunk(_PADDING)
        await self._send(padding + b"0\r\n\r\n")

    async def fail(self, exc: BaseException) -> None:
        """End an answer that broke off: Lambda cuts the caller's connection."""
        await self._send(b"0\r\n" + error_trailers(exc, self._context.request_id) + b"\r\n")

    async def acknowledged(self) -> tuple[int, bytes]:
        """Wait until Lambda has taken the whole answer: status (202 is well) and its words."""
        answer = await self._connection.read()
        return answer.status, answer.body

    def cut(self) -> None:
        self._connection.close()

    async def _send(self, data: bytes) -> None:
        async with self._writing:
            if self.broken:
                raise ConnectionError("the answer is broken off")
            try:
                await self._connection.send(data)
            except BaseException:
                self.broken = True
                raise


def _chunk(data: "bytes | memoryview[int]") -> bytes:
    return b"".join((b"%x\r\n" % len(data), data, b"\r\n"))


def _prelude(status: int, headers: Iterable[tuple[bytes, bytes]], *, bare: bool) -> bytes:
    """Status, headers and cookies as JSON. A repeated header becomes one with commas
    (RFC 9110, 5.2); cookies, which cannot be joined, have a list of their own.
    """
    joined: dict[str, str] = {}
    cookies: list[str] = []
    for raw_name, raw_value in headers:
        name = raw_name.decode("latin-1").lower()
        value = raw_value.decode("latin-1")
        if name == "set-cookie":
            cookies.append(value)
        elif name in _HOP_BY_HOP or (name == "content-length" and (bare or int(value) == 0)):
            continue  # the connection is Lambda's; and the padding must not contradict a length
        else:
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
    document = {"statusCode": status, "headers": joined, "cookies": cookies}
    prelude = json.dumps(document, separators=(",", ":")).encode()
    if len(prelude) > _LONGEST_PRELUDE:
        raise ValueError(f"status, headers and cookies take {len(prelude)} bytes of 16,384")
    return prelude
