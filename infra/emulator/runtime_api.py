"""The Runtime API that one execution environment sees: one invocation at a time.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, with the statuses and
error types of AWS's own emulator (aws-lambda-runtime-interface-emulator).
"""

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any, Self

from infra.emulator import wire
from infra.emulator.invocation import (
    BUFFERED_LIMIT,
    STREAMED_LIMIT,
    Begin,
    End,
    Invocation,
)

PREFIX = "/2018-06-01/runtime/"
ERROR_TYPE = "lambda-runtime-function-error-type"


class RuntimeApi:
    """Serves at `address` while it is entered.

    `on_idle` is called when the runtime polls and no invocation waits: Lambda freezes the
    process then. `on_work` is called when an invocation arrives.
    """

    def __init__(
        self,
        *,
        on_idle: Callable[[], None] = lambda: None,
        on_work: Callable[[], None] = lambda: None,
    ) -> None:
        self.address = ""
        self.current: Invocation | None = None
        self.init_error: dict[str, Any] | None = None
        self.restore_error: dict[str, Any] | None = None
        self.restored = asyncio.Event()
        self.ready = asyncio.Event()
        """Set when the runtime polls. The first poll ends the init phase."""
        self.polled = 0
        self.protocol_errors: list[str] = []
        self._on_idle = on_idle
        self._on_work = on_work
        self._work: asyncio.Queue[Invocation] = asyncio.Queue()
        self._answering = False
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.address = f"{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._connections):
            writer.transport.abort()

    @property
    def connections(self) -> int:
        return len(self._connections)

    def give(self, invocation: Invocation) -> None:
        self._work.put_nowait(invocation)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while (request := await wire.read_request(reader)) is not None:
                await self._route(request, reader, writer)
        except wire.ProtocolError as exc:
            self.protocol_errors.append(str(exc))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _route(
        self, request: wire.Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        path = request.target.removeprefix(PREFIX)
        match (request.method, *path.split("/")):
            case ("GET", "invocation", "next"):
                await self._next(reader, writer)
            case ("POST", "invocation", request_id, "response"):
                await self._response(request, request_id, writer)
            case ("POST", "invocation", request_id, "error"):
                await self._error(request, request_id, writer)
            case ("POST", "init", "error"):
                self.init_error = {
                    **_json(await request.body()),
                    "header": request.header(ERROR_TYPE),
                }
                await _say(writer, 202, {"status": "OK"})
            case ("GET", "restore", "next"):
                await self.restored.wait()
                await _say(writer, 200, {})
            case ("POST", "restore", "error"):
                self.restore_error = await _reported(request)
                await _say(writer, 202, {"status": "OK"})
            case ("POST", *_, "extension", "register"):
                await request.body()
                headers = [
                    ("Lambda-Extension-Identifier", "1"),
                    ("Content-Type", "application/json"),
                ]
                writer.write(wire.response(200, headers, b"{}"))
            case ("GET", *_, "extension", "event", "next"):
                await reader.read(1)  # waits for ever: extensions get no events here
            case _:
                await request.body()
                await _say(writer, 404, {"errorType": "NotFound", "errorMessage": path})

    async def _next(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.current is not None and not self.current.ended:
            await _refuse(writer, 403, "InvalidStateTransition", "the invocation is not answered")
            return
        self.current = None
        self.polled += 1
        self.ready.set()
        if self._work.empty():
            self._on_idle()
        work = asyncio.ensure_future(self._work.get())
        gone = asyncio.ensure_future(reader.read(1))
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
            raise ConnectionResetError
        invocation = work.result()
        gone.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await gone
        self._on_work()
        self.current = invocation
        self._answering = False
        invocation.start_clock()
        headers = [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", invocation.request_id),
            ("Lambda-Runtime-Invocation-Id", f"inv-{invocation.request_id}"),
            ("Lambda-Runtime-Deadline-Ms", str(invocation.deadline_ms)),
            ("Lambda-Runtime-Invoked-Function-Arn", invocation.arn),
            ("Lambda-Runtime-Trace-Id", invocation.trace_id),
        ]
        writer.write(wire.response(200, headers, invocation.payload))
        await writer.drain()

    async def _running(
        self, request: wire.Request, request_id: str, writer: asyncio.StreamWriter
    ) -> Invocation | None:
        invocation = self.current
        echoed = request.header("lambda-runtime-invocation-id")
        if (
            invocation is None
            or invocation.request_id != request_id
            or invocation.ended
            or self._answering
            or echoed not in {"", f"inv-{request_id}"}
        ):
            await request.body()
            await _refuse(writer, 400, "InvalidRequestID", request_id)
            return None
        return invocation

    async def _error(
        self, request: wire.Request, request_id: str, writer: asyncio.StreamWriter
    ) -> None:
        if (invocation := await self._running(request, request_id, writer)) is None:
            return
        error = _json(await request.body())
        await invocation.put(End(f"{request.header(ERROR_TYPE)}: {error.get('errorMessage')}"))
        await _say(writer, 202, {"status": "OK"})

    async def _response(
        self, request: wire.Request, request_id: str, writer: asyncio.StreamWriter
    ) -> None:
        if (invocation := await self._running(request, request_id, writer)) is None:
            return
        mode = request.header("lambda-runtime-function-response-mode")
        if mode not in {"", "streaming"}:
            await _refuse(writer, 400, "InvalidFunctionResponseMode", mode)
            return
        self._answering = True
        limit = STREAMED_LIMIT if mode else BUFFERED_LIMIT
        size = 0
        await invocation.put(Begin(request.header("content-type"), streaming=bool(mode)))
        try:
            async for data in request.chunks():
                size += len(data)
                if size > limit:
                    await invocation.put(End("Function.ResponseSizeTooLarge: over the limit"))
                    await _refuse(writer, 413, "RequestEntityTooLarge", f"limit {limit}")
                    raise ConnectionResetError
                await invocation.put(data)
        except asyncio.IncompleteReadError:
            await invocation.put(End("Runtime.TruncatedResponse: the response broke off"))
            raise
        except ValueError as exc:
            self.protocol_errors.append(f"chunked encoding: {exc}")
            await invocation.put(End(f"Runtime.TruncatedResponse: {exc}"))
            raise ConnectionResetError from exc
        error = request.trailers.get(ERROR_TYPE)
        await invocation.put(End(error))
        await _say(writer, 202, {"status": "OK"})


async def _refuse(writer: asyncio.StreamWriter, status: int, kind: str, message: str) -> None:
    await _say(writer, status, {"errorType": kind, "errorMessage": message})


async def _say(writer: asyncio.StreamWriter, status: int, document: dict[str, Any]) -> None:
    body = json.dumps(document).encode()
    writer.write(wire.response(status, [("Content-Type", "application/json")], body))
    await writer.drain()


async def _reported(request: wire.Request) -> dict[str, Any]:
    return {**_json(await request.body()), "header": request.header(ERROR_TYPE)}


def _json(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {"errorMessage": body.decode("utf-8", "replace")}
    return document if isinstance(document, dict) else {"errorMessage": str(document)}
