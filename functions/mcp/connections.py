"""All connections of one environment to MCP servers."""

import asyncio
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import httpx2
from pydantic import SecretStr

from ..addresses import is_loopback
from .connection import Connection
from .exchange import exchange_token
from .failure import McpError
from .servers import McpServer, SecretName
from .session import CONNECT_SECONDS, Credentials

if TYPE_CHECKING:
    from mcp.types import CallToolResult, Tool

MAX_CONNECTIONS = 100
"""Connections of one environment. The one that was used longest ago makes room for a new one."""

ReadSecret = Callable[[str], Awaitable[str]]
"""The value of the secret with this name. Raises `ValueError` or `RuntimeError`."""


@dataclass(frozen=True)
class Person:
    """Who asks."""

    user_id: str
    token: SecretStr | None = None
    """The token of their issuer, when they have signed in."""
    kind: Literal["access", "id"] = "access"
    """What kind of token it is."""


class Connections:
    """The connections of one environment. Making it opens none and imports nothing."""

    def __init__(self, read_secret: ReadSecret) -> None:
        self._read_secret = read_secret
        self._kept: OrderedDict[str, Connection] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def reach(self, server: McpServer, person: Person) -> "Reached":
        """The server for a person. Raises `McpError` when all connections are in use.

        Two people share a connection only when everything is the same that the server gets to know.
        """
        key = _key(server, person)
        connection = self._kept.get(key)
        if connection is None:
            self._make_room()
            connection = self._kept[key] = Connection(server)
        self._kept.move_to_end(key)
        return Reached(connection, person, self._read_secret)

    def warm_up(self, servers: Iterable[McpServer]) -> None:
        """Begin to connect to those servers for which it does not matter who asks."""
        for server in servers:
            if not server.acts_for_person:
                with suppress(McpError):
                    self._begin(_try(self.reach(server, Person(""))))

    async def close(self) -> None:
        """Close all connections."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*(each.close() for each in self._kept.values()))
        self._kept.clear()

    def _make_room(self) -> None:
        if len(self._kept) < MAX_CONNECTIONS:
            return
        for key, connection in self._kept.items():
            if not connection.users:
                del self._kept[key]
                self._begin(connection.close())
                return
        raise McpError("too many connections at one time")

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@dataclass(frozen=True)
class Reached:
    """A server as one person reaches it."""

    connection: Connection
    person: Person
    read_secret: ReadSecret

    @property
    def server(self) -> McpServer:
        return self.connection.server

    async def tools(self) -> "list[Tool]":
        """See `Connection.tools`."""
        return await self.connection.tools(self._credentials)

    async def call(self, name: str, arguments: dict[str, Any] | None) -> "CallToolResult":
        """See `Connection.call`."""
        return await self.connection.call(name, arguments, self._credentials)

    async def _credentials(self) -> Credentials:
        """The headers, whose secrets are read now. The person's own token is none of them."""
        server = self.server
        headers = {name: await self._value(value) for name, value in server.headers.items()}
        exchange = server.exchange
        if exchange is None:
            return Credentials(headers)
        if self.person.token is None:
            raise McpError("no token for it: nobody has signed in")
        secret = await self._value(exchange.client_secret)
        # In a thread, because it reads the authorities' certificates.
        http = await asyncio.to_thread(
            httpx2.AsyncClient,
            timeout=CONNECT_SECONDS,
            trust_env=not is_loopback(urlsplit(exchange.token_url).hostname),
            headers={"accept": "application/json", "accept-encoding": "identity"},
        )
        async with http:
            token, expires_at = await exchange_token(
                exchange, secret, self.person.token.get_secret_value(), self.person.kind, http
            )
        return Credentials({**headers, "authorization": f"Bearer {token}"}, expires_at)

    async def _value(self, value: SecretName | SecretStr) -> str:
        if isinstance(value, SecretStr):
            return value.get_secret_value()
        try:
            return await self.read_secret(value.secret)
        except (ValueError, RuntimeError):
            raise McpError(f"the secret {value.secret} cannot be read") from None


def _key(server: McpServer, person: Person) -> str:
    """Of what a server gets to know, a digest, so that no key of the dictionary has a secret."""
    known = [server.as_json(), person.user_id if server.acts_for_person else None]
    return sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


async def _try(reached: Reached) -> None:
    with suppress(McpError):  # whoever needs the server is told
        await reached.tools()
