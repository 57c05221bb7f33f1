"""An HTTP server on loopback that hands each request to one function."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

from infra.emulator import wire
from infra.local.address import url_of

Answerer = Callable[[wire.Request, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Serves while it is entered, at `url`. `port` 0 picks a free one."""

    def __init__(self, answer: Answerer, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._answer = answer
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self._host, self._port)
        self.url = url_of(self._host, self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            while (request := await wire.read_request(reader)) is not None:
                await self._answer(request, writer)
        except wire.ProtocolError:
            writer.write(wire.response(400, [("Connection", "close")], b""))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            return
        finally:
            writer.close()
