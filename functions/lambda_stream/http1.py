"""The part of HTTP/1.1 that the Runtime API needs: one socket, one request at a time.

There are no timeouts here, because the server runs in the same sandbox, is frozen together with
this process, and stops a function that takes too long.
"""

import asyncio
import socket
from dataclasses import dataclass
from typing import Self

_RECEIVE = 256 * 1024
_MAX_HEAD = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    """Names are in lower case. The Runtime API repeats no header."""
    body: bytes


class Connection:
    """One connection. Raises `OSError` when it breaks, or when an answer is not HTTP."""

    def __init__(self, sock: socket.socket, host: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._host = host
        self._buffer = bytearray()

    @classmethod
    async def open(cls, address: str) -> Self:
        """`address`: `host:port`, as in `AWS_LAMBDA_RUNTIME_API`."""
        host, _, port = address.rpartition(":")
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(sock, (host.strip("[]"), int(port)))
        except BaseException:
            sock.close()
            raise
        return cls(sock, address)

    def close(self) -> None:
        self._sock.close()

    @property
    def usable(self) -> bool:
        """False after the server has closed the connection or sent unexpected data."""
        if self._buffer or self._sock.fileno() < 0:
            return False
        try:
            self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def head(self, method: str, path: str, headers: list[tuple[str, str]]) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    async def send(self, data: bytes) -> None:
        """Pass `data` to the kernel. Waits while the kernel's buffer is full (back-pressure)."""
        try:
            sent = self._sock.send(data)
        except BlockingIOError:
            sent = 0
        if sent != len(data):
            await self._loop.sock_sendall(self._sock, memoryview(data)[sent:])

    async def read(self) -> Answer:
        """The answer to the request that was sent."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > _MAX_HEAD:
                raise ConnectionError("the Runtime API's answer has no end of headers")
            await self._fill()
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        try:
            status = int(first.split(" ", 2)[1])
            body = await self._body(headers)
        except (ValueError, IndexError) as exc:
            raise ConnectionError(f"the Runtime API's answer is not HTTP: {first!r}") from exc
        return Answer(status, headers, body)

    async def _body(self, headers: dict[str, str]) -> bytes:
        if "chunked" not in headers.get("transfer-encoding", "").lower():
            return await self._take(int(headers.get("content-length", "0")))
        parts = []
        while size := int((await self._line()).split(b";")[0], 16):
            parts.append(await self._take(size))
            await self._line()
        while await self._line():
            pass  # trailers
        return b"".join(parts)

    async def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            await self._fill()
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    async def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            await self._fill()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    async def _fill(self) -> None:
        received = await self._loop.sock_recv(self._sock, _RECEIVE)
        if not received:
            raise ConnectionResetError("the Runtime API closed the connection")
        self._buffer += received
