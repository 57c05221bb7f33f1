"""Signed links through the app's own port, under the name by which the page was asked for.

moto listens on loopback only, so a phone could not follow a link to it. Each link that is signed
during a request gets the request's `Host`, and the app passes what comes back on to moto. In AWS
no link is built from `Host`, because whoever sends a request chooses it.
"""

import re
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx2
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from functions.aws.clients import client

HOST = re.compile(r"[\w.:\[\]-]{1,255}", re.ASCII)
PER_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-encoding", "host"}
"""Headers that are not passed on."""

FROM_BROWSERS = {"origin", "cookie", "authorization"}
"""Headers that moto does not get: it answers no browser, and a link carries its own signature."""

_asked_by: ContextVar[str | None] = ContextVar("asked_by", default=None)


class LinksThroughApp:
    """Passes requests for objects of `bucket` on to `endpoint`, and all others to `app`.

    The page itself and pages of `allowed_origins` may use the links; a page of another origin
    gets a 403.
    """

    def __init__(
        self, app: ASGIApp, bucket: str, endpoint: str, allowed_origins: list[str]
    ) -> None:
        self._app = app
        self._allowed_origins = frozenset(allowed_origins)
        self._to_objects = CORSMiddleware(
            self._pass_on,
            allow_origins=allowed_origins,
            allow_methods=["GET", "PUT", "HEAD"],
            allow_headers=["*"],
        )
        self._endpoint = endpoint.rstrip("/")
        self._objects = f"/{bucket}/"
        # This machine is never reached through a proxy.
        self._client = httpx2.AsyncClient(timeout=60, trust_env=False)
        client("s3").meta.events.register_first(
            "before-sign.s3", self._name_the_app, unique_id="chatkit-links-through-app"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = Request(scope).headers.get("host", "")
            if HOST.fullmatch(host):
                _asked_by.set(f"{scope['scheme']}://{host}")
            if scope["path"].startswith(self._objects):
                await self._to_objects(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _name_the_app(self, request: Any, signature_version: str, **_: Any) -> None:
        """Change the address of a link before it is signed."""
        address = _asked_by.get()
        parts = urlsplit(request.url)
        ours = request.url.startswith(f"{self._endpoint}{self._objects}")
        if address is not None and ours and signature_version.endswith("-query"):
            scheme, host = address.split("://")
            request.url = urlunsplit((scheme, host, parts.path, parts.query, ""))

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        origin = request.headers.get("origin")
        own = f"{scope['scheme']}://{request.headers.get('host', '')}"
        if origin is None or origin == own or origin in self._allowed_origins:
            response = await self._answer(request)
        else:
            response = PlainTextResponse("Another website may not use this link.", 403)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path = request.scope["raw_path"].decode("ascii")
        query = request.scope["query_string"].decode("ascii")
        left_out = PER_CONNECTION | FROM_BROWSERS
        try:
            answer = await self._client.request(
                request.method,
                f"{self._endpoint}{path}?{query}",
                headers=[(k, v) for k, v in request.headers.items() if k not in left_out],
                content=await request.body(),
            )
        except httpx2.HTTPError:
            return PlainTextResponse("The store of files cannot be reached.", 502)
        response = Response(answer.content, answer.status_code)
        for name, value in answer.headers.multi_items():
            if name not in PER_CONNECTION and name != "content-length":
                response.headers.append(name, value)
        return response
