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

logger = logging.getLogger(__name__)
_BODYLESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


class UnfinishedError(RuntimeError):
    """The app returned before its answer was complete."""


class Cycle:
    """Runs `app` for one request and passes what it sends to `response`.

    Lambda does not report that a caller has disconnected. So the app runs to its end, and receives
    `http.disconnect` only after its answer is complete.
    """

    def __init__(self, scope: Scope, body: bytes, response: Response) -> None:
        self._scope = scope
        self._body: bytes | None = body
        self._response = response
        self._started = False
        self._complete = asyncio.Event()
        self._bare = scope["method"] == "HEAD"

    async def run(self, app: ASGIApp) -> None:
        """Run the app. When it fails, answer with an error and log it; nothing is raised."""
        try:
            await app(self._scope, self._receive, self._send)
            self._check_whole()
        except BaseException as exc:
            logger.exception("Exception in ASGI application")
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
            return  # the answer is complete, or could not be sent
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
        """Mark the answer as broken. The app goes on, because it may still have data to save."""
        self._response.broken = True
        logger.warning("Lambda no longer accepts this answer (%s); the app goes on without it", exc)
