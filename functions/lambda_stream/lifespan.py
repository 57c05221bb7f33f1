"""ASGI's lifespan: startup once per environment, shutdown on SIGTERM."""

import asyncio
import logging
from typing import Any

from .cycle import ASGIApp, Message

logger = logging.getLogger(__name__)


class LifespanError(Exception):
    """The app reported that its startup or its shutdown failed."""


class Lifespan:
    """Runs the app's lifespan. Each request gets a copy of the lifespan's `state`."""

    def __init__(self, app: ASGIApp) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self._answers: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """Raises `LifespanError` when the app fails to start.

        An app without lifespan support raises or returns at once. It is served without a lifespan.
        """
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(_look_at)
        await self._step("startup")

    async def shutdown(self) -> None:
        """Raises `LifespanError` when the app fails to shut down."""
        if self._task is not None and not self._task.done():
            await self._step("shutdown")

    async def _run(self) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        await self._app(scope, self._messages.get, self._answers.put)

    async def _step(self, name: str) -> None:
        """Send `lifespan.<name>` and wait for the answer, or for the lifespan's task to end."""
        task = self._task
        if task is None:
            return
        self._messages.put_nowait({"type": f"lifespan.{name}"})
        answer = asyncio.ensure_future(self._answers.get())
        await asyncio.wait({answer, task}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done() and not self._answers.empty():
            await asyncio.wait({answer})
        if answer.done():
            message = answer.result()
            if message["type"] == f"lifespan.{name}.failed":
                raise LifespanError(message.get("message") or f"the app's {name} failed")
            return
        answer.cancel()


def _look_at(task: asyncio.Task[None]) -> None:
    """Read the exception, because asyncio would log that it was never retrieved."""
    if not task.cancelled() and (exc := task.exception()) is not None:
        logger.debug("the app's lifespan ended with %r", exc)
