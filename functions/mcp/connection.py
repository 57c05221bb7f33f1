"""The connection to one MCP server: its tools, and calls of them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import time
from typing import TYPE_CHECKING, Any, TypeVar

from .failure import McpError, failure_of
from .servers import McpServer
from .session import CONNECT_SECONDS, GetCredentials, Session, load

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult, Tool

TOOLS_SECONDS = 300.0
"""How long a list of tools is used before the server is asked again."""
PAUSE_SECONDS = 30.0
"""How long a server is left alone after it failed, so that nobody else waits for it."""
MAX_TOOLS = 100
"""Tools of one server. OpenAI takes 128 in one request, with the assistant's own."""
MAX_LENGTH = 100_000
"""Characters of the descriptions of one server's tools. The model gets them with each request."""

logger = logging.getLogger(__name__)

T = TypeVar("T")
Ask = Callable[["Client"], Awaitable[T]]


class Connection:
    """A connection to one server, which is opened when it is needed, and again when it is lost."""

    def __init__(self, server: McpServer) -> None:
        self.server = server
        self._session: Session | None = None
        self._tools: list[Tool] = []
        self._listed_at: float | None = None
        self._listing = asyncio.Lock()
        self._failure: McpError | None = None
        self._failed_at = 0.0
        self.users = 0
        """How many are waiting for it just now."""

    async def tools(self, credentials: GetCredentials) -> "list[Tool]":
        """The tools that may be used. Raises `McpError`, after `CONNECT_SECONDS` at most."""
        await load()
        self.users += 1
        try:
            async with asyncio.timeout(CONNECT_SECONDS), self._listing:
                if self._failure is not None and 0 <= time() - self._failed_at < PAUSE_SECONDS:
                    raise self._failure.with_traceback(None)
                if self._listed_at is None or not 0 <= time() - self._listed_at < TOOLS_SECONDS:
                    self._tools = await self._ask(self._list, credentials, repeat=True)
                    self._listed_at = time()
        except TimeoutError:
            raise self._failed(McpError(f"no answer in {CONNECT_SECONDS:g} s")) from None
        except McpError as error:
            raise self._failed(error) from None
        finally:
            self.users -= 1
        self._failure = None
        return self._tools

    async def call(
        self, name: str, arguments: dict[str, Any] | None, credentials: GetCredentials
    ) -> "CallToolResult":
        """Call a tool. Raises `McpError`, after the server's `timeout` at most.

        It is called a second time only when the server has certainly not done it yet.
        """
        self.users += 1
        try:
            async with asyncio.timeout(self.server.timeout):
                return await self._ask(
                    lambda client: client.call_tool(name, arguments), credentials, repeat=False
                )
        except TimeoutError:
            raise McpError(f"no answer in {self.server.timeout:g} s") from None
        finally:
            self.users -= 1

    async def close(self) -> None:
        """Close it. When it is used again, it is opened again."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ask(self, ask: Ask[T], credentials: GetCredentials, *, repeat: bool) -> T:
        """What the server answers, on a second session if the first was lost.

        With `repeat`, `ask` changes nothing at the server.
        """
        session = self._open(credentials)
        async with session.client() as client:
            try:
                return await ask(client)
            except Exception as error:  # noqa: BLE001 - servers send anything
                failure = failure_of(error)
        if not failure.gone:
            raise failure
        session.retire()
        if not (failure.unheard or repeat):
            raise failure
        async with self._open(credentials).client() as client:
            try:
                return await ask(client)
            except Exception as error:  # noqa: BLE001
                raise failure_of(error) from None

    def _open(self, credentials: GetCredentials) -> Session:
        if self._session is None or not self._session.usable:
            if self._session is not None:
                self._session.retire()
            self._session = Session(self.server.url, credentials)
        return self._session

    async def _list(self, client: "Client") -> "list[Tool]":
        found: list[Tool] = []
        length = 0
        cursor: str | None = None
        while True:
            page = await client.list_tools(cursor=cursor)
            for tool in filter(lambda tool: self.server.allows(tool.name), page.tools):
                length += len(tool.model_dump_json())
                if len(found) == MAX_TOOLS or length > MAX_LENGTH:
                    logger.warning("the MCP server %s: too many tools", self.server.name)
                    return found
                found.append(tool)
            if page.next_cursor is None:
                return found
            cursor = page.next_cursor

    def _failed(self, error: McpError) -> McpError:
        if error is self._failure and time() - self._failed_at < PAUSE_SECONDS:
            return error
        self._failure, self._failed_at = error, time()
        logger.warning("the MCP server %s: %s", self.server.name, error.kind)
        return error
