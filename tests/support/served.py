"""Serves an ASGI app with a real uvicorn on a free loopback port."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator

import uvicorn


class Server(uvicorn.Server):
    """Ends as soon as it should: uvicorn's own looks ten times a second whether it should."""

    async def startup(self, sockets=None):
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        await super().startup(sockets)

    async def main_loop(self):
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), 0.1)

    def end(self):
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._ended.set)


@contextlib.contextmanager
def served(app, port=0, **options) -> Iterator[str]:
    """Yields the base URL. The server runs its event loop in a thread until the block ends."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        log_level="warning",
        timeout_graceful_shutdown=2,
        **options,
    )
    server = Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the server did not start")
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.end()
        thread.join(timeout=10)
