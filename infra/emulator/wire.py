"""HTTP/1.1 on asyncio's streams, small enough to see every byte of a response as it is sent."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus

Headers = list[tuple[str, str]]


class ProtocolError(Exception):
    """What arrived is not HTTP/1.1."""


@dataclass
class Request:
    method: str
    target: str
    headers: Headers
    _reader: asyncio.StreamReader
    trailers: dict[str, str] = field(default_factory=dict)
    """Complete when `chunks` has ended."""

    def header(self, name: str, default: str = "") -> str:
        """A header's value. Repeated headers are joined with commas, as Lambda joins them."""
        found = [value for key, value in self.headers if key.lower() == name]
        return ",".join(found) if found else default

    @property
    def has_body(self) -> bool:
        return bool(self.header("transfer-encoding")) or self.header("content-length", "0") != "0"

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives. Raises `IncompleteReadError` when the sender breaks off."""
        if "chunked" not in self.header("transfer-encoding").lower():
            left = int(self.header("content-length", "0"))
            while left:
                data = await self._reader.read(min(left, 65536))
                if not data:
                    raise asyncio.IncompleteReadError(b"", left)
                left -= len(data)
                yield data
            return
        while size := int((await _line(self._reader)).split(";")[0], 16):
            yield await self._reader.readexactly(size)
            await _line(self._reader)
        while line := await _line(self._reader):
            name, _, value = line.partition(":")
            self.trailers[name.strip().lower()] = value.strip()

    async def body(self) -> bytes:
        return b"".join([chunk async for chunk in self.chunks()])


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request on a connection, or None when the other end has closed it."""
    try:
        first = await _line(reader)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    try:
        method, target, version = first.split(" ")
    except ValueError as exc:
        raise ProtocolError(f"no request line: {first[:80]!r}") from exc
    if not version.startswith("HTTP/1."):
        raise ProtocolError(f"not HTTP/1: {first[:80]!r}")
    headers: Headers = []
    while line := await _line(reader):
        name, colon, value = line.partition(":")
        if not colon:
            raise ProtocolError(f"no header: {line[:80]!r}")
        headers.append((name, value.strip()))
    return Request(method, target, headers, reader)


def response(status: int, headers: Headers, body: bytes | None = None) -> bytes:
    """A response's head, with the body and its length when one is given."""
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers)]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + (body or b"")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def _line(reader: asyncio.StreamReader) -> str:
    try:
        line = await reader.readuntil(b"\r\n")
    except asyncio.LimitOverrunError as exc:
        raise ProtocolError("a line without an end") from exc
    return line[:-2].decode("latin-1")
