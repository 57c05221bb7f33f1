"""CloudFront: the page from a bucket, and two paths that lead to Function URLs."""

import asyncio
import hashlib
import mimetypes
from collections.abc import Mapping
from pathlib import Path

from functions.web.viewer import HOST_HEADER, IP_HEADER
from infra.emulator import wire
from infra.emulator.function_url import FunctionUrl
from infra.local.page import file_at

_NOT_FORWARDED = {"authorization", HOST_HEADER, IP_HEADER}
_NO_HASH = b'{"Message":"The request signature we calculated does not match yours."}'


class Edge:
    """Sends each request to a Function URL or answers it with a file.

    `origins` maps the beginning of a path to a Function URL: `/chatkit` stands for CloudFront's
    pattern `/chatkit*` and matches `/chatkitty` too. `page` is the folder of the built site, and
    `files` holds further files by path.

    As `infra.stack.cdn.VIEWER_HEADERS` does, each request to a function gets the viewer's host and
    address in two headers, whatever the client wrote there.

    As with origin access control, `Authorization` does not reach the functions, and a POST
    from a browser must carry the SHA-256 of its body in `x-amz-content-sha256`. AWS asks that
    of every client; here other clients may leave it out, so that curl is easy to use.
    """

    def __init__(
        self, origins: Mapping[str, FunctionUrl], page: Path, files: Mapping[str, bytes]
    ) -> None:
        self._origins = origins
        self._page = page
        self._files = files

    async def answer(self, request: wire.Request, writer: asyncio.StreamWriter) -> None:
        path = request.target.partition("?")[0]
        for prefix, origin in self._origins.items():
            if path.startswith(prefix):
                await self._forward(request, origin, writer)
                return
        await request.body()
        await self._static(request, path, writer)

    async def _forward(
        self, request: wire.Request, origin: FunctionUrl, writer: asyncio.StreamWriter
    ) -> None:
        body = await request.body()
        signed = request.header("x-amz-content-sha256")
        from_browser = bool(request.header("sec-fetch-mode"))
        if (
            request.method in {"POST", "PUT", "PATCH"}
            and (signed or from_browser)
            and signed != hashlib.sha256(body).hexdigest()
        ):
            headers = [("Content-Type", "application/json")]
            writer.write(wire.response(403, headers, _NO_HASH))
            await writer.drain()
            return
        host, ip = request.header("host"), writer.get_extra_info("peername")[0]
        request.headers = [
            (name, value) for name, value in request.headers if name.lower() not in _NOT_FORWARDED
        ]
        request.headers += [(HOST_HEADER, host), (IP_HEADER, ip)]
        await origin.handle(request, writer, body=body, scheme="http")

    async def _static(self, request: wire.Request, path: str, writer: asyncio.StreamWriter) -> None:
        found = self._find(path)
        body, name = found or (b"There is no such file.", "nothing.txt")
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        headers = [("Content-Type", kind), ("Cache-Control", "no-cache")]
        data = wire.response(200 if found else 404, headers, body)
        writer.write(data[: len(data) - len(body)] if request.method == "HEAD" else data)
        await writer.drain()

    def _find(self, path: str) -> tuple[bytes, str] | None:
        """A file's bytes and its name."""
        if path in self._files:
            return self._files[path], path
        file = file_at(self._page, path)
        return (file.read_bytes(), file.name) if file else None
