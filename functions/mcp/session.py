"""One session with an MCP server, which is opened and closed in a task of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from time import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..addresses import is_loopback
from .failure import McpError, failure_of
from .http_client import MAX_BYTES, McpHttp

if TYPE_CHECKING:
    from mcp import Client

CONNECT_SECONDS = 3.0
"""Seconds for opening a session."""
IDLE_SECONDS = 600.0
"""A session that nobody has used for so long is closed."""
CLOSE_SECONDS = 2.0
"""Seconds for closing a session at the server."""
SPARE_SECONDS = 30.0
"""A token that expires within this time is not used any more."""

_LATE = ("mcp", "agents.mcp", "jsonschema")


@dataclass(frozen=True)
class Credentials:
    """What a session is opened with."""

    headers: dict[str, str]
    expires_at: float | None = None
    """When the headers are no longer good, in Unix seconds."""


GetCredentials = Callable[[], Awaitable[Credentials]]
"""Makes the headers of a new session. Raises `McpError`."""


async def load() -> None:
    """Import `mcp`, and what it imports late, in a thread: it takes a quarter of a cold start."""
    for name in _LATE:
        if name not in sys.modules:
            await asyncio.to_thread(import_module, name)


class Session:
    """A session, which several calls may use at one time.

    Times are those of the wall clock: another clock may stand still while Lambda freezes the
    process.
    """

    def __init__(self, url: str, credentials: GetCredentials) -> None:
        self._url = url
        self._expires_at: float | None = None
        self._users = 0
        self._used_at = time()
        self._free = asyncio.Event()
        self._free.set()
        self._retired = asyncio.Event()
        self._opened: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._hold(credentials))

    @property
    def usable(self) -> bool:
        expired = self._expires_at is not None and time() > self._expires_at - SPARE_SECONDS
        return not (expired or self._retired.is_set() or self._task.done())

    @asynccontextmanager
    async def client(self) -> AsyncIterator["Client"]:
        """The client, once the session is open. Raises `McpError` when it cannot be opened."""
        self._users += 1
        self._free.clear()
        try:
            # Others may wait for the same session when the one who began is stopped.
            yield await asyncio.shield(self._opened)
        finally:
            self._users -= 1
            self._used_at = time()
            if not self._users:
                self._free.set()

    def retire(self) -> None:
        """Close it when nobody uses it any more."""
        self._retired.set()

    async def close(self) -> None:
        """Close it now."""
        self._retired.set()
        self._free.set()
        done, _ = await asyncio.wait({self._task}, timeout=CLOSE_SECONDS)
        if not done:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _hold(self, credentials: GetCredentials) -> None:
        """Open and close the session in one task, as the `mcp` package asks for."""
        stack = AsyncExitStack()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                client = await self._open(stack, credentials)
            self._opened.set_result(client)
            while not self._retired.is_set() and (self._users or self._idle < IDLE_SECONDS):
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._retired.wait(), IDLE_SECONDS)
            self._retired.set()
            await self._free.wait()
        except TimeoutError:
            self._fail(McpError(f"no answer in {CONNECT_SECONDS:g} s"))
        except asyncio.CancelledError:
            self._fail(McpError("it was closed"))
            raise
        except Exception as error:  # noqa: BLE001 - whoever waits gets it
            self._fail(failure_of(error))
        finally:
            self._retired.set()
            with suppress(Exception):  # whatever fails now, nobody needs it any more
                async with asyncio.timeout(CLOSE_SECONDS):
                    await stack.aclose()

    @property
    def _idle(self) -> float:
        return max(time() - self._used_at, 0.0)

    def _fail(self, error: McpError) -> None:
        if not self._opened.done():
            error.unheard = True  # no call is sent before the session is open
            self._opened.set_exception(error)
            self._opened.exception()  # perhaps nobody waits for it any more

    async def _open(self, stack: AsyncExitStack, get_credentials: GetCredentials) -> "Client":
        from mcp import Client  # noqa: PLC0415 - see `load`
        from mcp.client.streamable_http import streamable_http_client  # noqa: PLC0415

        credentials = await get_credentials()
        self._expires_at = credentials.expires_at
        # In a thread, because it reads the authorities' certificates.
        http = await asyncio.to_thread(
            McpHttp,
            credentials.headers,
            connect_seconds=CONNECT_SECONDS,
            trust_env=not is_loopback(urlsplit(self._url).hostname),
        )
        await stack.enter_async_context(http)
        transport = streamable_http_client(
            self._url, http_client=http, max_sse_event_size=MAX_BYTES
        )
        return await stack.enter_async_context(Client(transport, cache=None))
