"""Answers requests for the names of this machine only.

A website can point its own name at 127.0.0.1 and then read what a server there answers, because
the browser takes both for one origin (DNS rebinding). Its requests carry the website's name as
`Host`.
"""

import socket
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class OwnHosts:
    """Answers 403 unless `Host` is an address, this machine's name or an allowed origin's host."""

    def __init__(self, app: ASGIApp, allowed_origins: Iterable[str]) -> None:
        self._app = app
        name = socket.gethostname().lower()
        self._names = {"localhost", name, name.partition(".")[0], f"{name.partition('.')[0]}.local"}
        self._names |= {urlsplit(origin).hostname or "" for origin in allowed_origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._is_ours(Request(scope).headers.get("host", "")):
            message = (
                "This name is not one of this machine's. To use it, add its origin to "
                "CHATKIT_ALLOWED_ORIGINS."
            )
            await JSONResponse({"message": message}, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self._names or name.endswith(".localhost"):
            return True
        try:
            ip_address(name)
        except ValueError:
            return False
        return True
