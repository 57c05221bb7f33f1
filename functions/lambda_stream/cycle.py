"""One HTTP request through an ASGI app: https://asgi.readthedocs.io/en/latest/specs/www.html."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from .response import Response
from .scope import Scope

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_LOGGER = logging.getLogger(__name__)
_BODYLESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


class UnfinishedError(RuntimeError):
    """The app returned without a whole answer."""


class Cycle:
    """Drives `app` once and turns what it sends into `response`.

    A caller that goes away is not seen here, since Lambda does not say so: the app
    runs to its end, and meets `http.disconnect` only after its answer is complete.
    """

    def __init__(self, scope: Scope, body: bytes, response: Response) -> None:
        self._scope = scope
        self._body: bytes | None = body
        self._response = response
        self._started = False
        self._complete = asyncio.Event()
        self._bare = scope["method"] == "HEAD"

    async def run(self, app: ASGIApp) -> None:
        """Never raises for what the app does: its failures are answered and logged."""
        try:
            await app(self._scope, self._receive, self._send)
            self._check_whole()
        except BaseException as exc:
            _LOGGER.exception("Exception in ASGI application")
            await self._fail(exc)
        finally:
            self._complete.set()

    def _check_whole(self) -> None:
        if not self._complete.is_set():
            raise UnfinishedError("the app returned without completing its answer")

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._complete.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if self._complete.is_set() or kind != (
            "http.response.body" if self._started else "http.response.start"
        ):
            raise RuntimeError(f"unexpected ASGI message {kind!r}")
        if not self._started:
            await self._start(message["status"], message.get("headers", ()))
        else:
            await self._continue(message.get("body", b""), more=message.get("more_body", False))

    async def _start(self, status: int, headers: Any) -> None:
        self._bare = self._bare or status in _BODYLESS
        try:
            await self._response.start(status, headers, bare=self._bare)
        except OSError as exc:
            self._lost(exc)
        self._started = True

    async def _continue(self, body: bytes, *, more: bool) -> None:
        if not self._response.broken:
            try:
                if not self._bare:
                    await self._response.write(body)
                if not more:
                    await self._response.end()
            except OSError as exc:
                self._lost(exc)
        if not more:
            self._complete.set()

    async def _fail(self, exc: BaseException) -> None:
        if self._complete.is_set() or self._response.broken:
            return  # the answer is out, or lost already
        try:
            if self._started:
                await self._response.fail(exc)
            else:
                self._started = True
                headers = [(b"content-type", b"application/json")]
                await self._response.start(500, headers, bare=False)
                await self._response.write(b'{"message":"Internal Server Error"}')
                await self._response.end()
        except OSError as lost:
            self._lost(lost)

    def _lost(self, exc: OSError) -> None:
        """The app goes on: what it does beside answering (saving, say) is still wanted."""
        self._response.broken = True
        _LOGGER.warning("Lambda no longer takes this answer (%s); running on without it", exc)
