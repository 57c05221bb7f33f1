"""Refuses what a page on a foreign origin sends, since the browser adds the visitor's cookie.

Browsers send `Origin` with each request that may change something, and scripts cannot change it.
Modern ones send `Sec-Fetch-Site`, too (https://www.w3.org/TR/fetch-metadata/). A request with
neither is not a browser's: nobody's cookie is in it but the sender's own.
"""

import logging

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from ..settings import Settings
from .error_response import error_response
from .viewer import page_origin

logger = logging.getLogger(__name__)

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""These change nothing (RFC 9110, 9.2.1), and a foreign page cannot read their answer."""


class OriginCheck:
    """Answers 403 to a foreign page's request, before its body is read."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        if self._is_allowed(request):
            await self._app(scope, receive, send)
            return
        logger.warning(
            "refused a request of another site: path=%.100r origin=%.100r sec-fetch-site=%.20r",
            scope["path"],
            request.headers.get("origin"),
            request.headers.get("sec-fetch-site"),
        )
        response = error_response(403, "Pages on another site may not use this chat.")
        await response(scope, receive, send)

    def _is_allowed(self, request: Request) -> bool:
        origin = request.headers.get("origin")
        site = request.headers.get("sec-fetch-site")
        if origin is None:
            # `none` is the person's own doing, such as a bookmark. `same-site` is another origin:
            # a sibling domain, or another port of localhost.
            return site in {None, "none", "same-origin"}
        if origin in self._settings.allowed_origins:
            return True
        own = page_origin(request, self._settings)
        if own is None:
            # While a stack is updated, the functions may be newer than the distribution that tells
            # them the page's host. The browser knows whether the page is on it.
            return site == "same-origin"
        return origin == own
