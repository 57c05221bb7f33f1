"""An MCP server of the `mcp` package, on loopback."""

import threading
from contextlib import contextmanager

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp.types import ToolAnnotations

from tests.support.served import served

READS = ToolAnnotations(read_only_hint=True)


class Shop:
    """A shop. It records each request with its headers, and each tool that was called."""

    def __init__(self):
        self.requests = []
        """The headers of each request, with its method of JSON-RPC under `rpc`."""
        self.calls = []
        self.gate = threading.Event()
        self.gate.set()
        self.refuses = []
        """Statuses that the next requests are answered with."""
        server = MCPServer("shop", log_level="ERROR")

        @server.tool(annotations=READS)
        async def find(what: str) -> str:
            """Finds things."""
            self.calls.append(("find", what))
            return f"3 {what}"

        @server.tool()
        async def buy(what: str) -> str:
            """Buys things."""
            self.calls.append(("buy", what))
            return f"bought {what}"

        @server.tool()
        async def list_all() -> str:
            """Lists everything."""
            return "x" * 1_000_000

        @server.tool()
        async def ask_stock(context: Context) -> str:
            """Asks a slow warehouse."""
            self.calls.append(("ask_stock", None))
            while not self.gate.is_set():  # noqa: ASYNC110 - the test is in another thread
                await anyio.sleep(0.01)
            return "many"

        self._server = server

    def app(self, **options):
        inner = self._server.streamable_http_app(**options)

        async def app(scope, receive, send):
            if scope["type"] != "http":
                return await inner(scope, receive, send)
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            self.requests.append(headers)
            if self.refuses:
                await send({"type": "http.response.start", "status": self.refuses.pop(0)})
                return await send({"type": "http.response.body", "body": b""})
            return await inner(scope, receive, send)

        return app

    def named(self, method):
        """The requests of one method of JSON-RPC."""
        return [each for each in self.requests if each.get("mcp-method") == method]


def before_2026(app):
    """The server as one that knows no `server/discover`, and so has sessions."""

    async def older(scope, receive, send):
        if (b"mcp-method", b"server/discover") in scope.get("headers", ()):
            await send({"type": "http.response.start", "status": 404})
            return await send({"type": "http.response.body"})
        return await app(scope, receive, send)

    return older


@contextmanager
def shop(**options):
    """A shop, and its address."""
    made = Shop()
    with served(made.app(**options)) as url:
        yield made, f"{url}/mcp"
