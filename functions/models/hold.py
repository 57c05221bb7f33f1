"""Lets a request to a model be made ready before it may leave."""

import asyncio
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any
from weakref import WeakSet

from agents import Model, ModelResponse
from agents.items import TResponseStreamEvent
from agents.retry import ModelRetryAdvice, ModelRetryAdviceRequest


class Hold:
    """Two gates for the requests of a run: `leave` lets them out, `answer` their answers in."""

    def __init__(self) -> None:
        self.leave = asyncio.Event()
        self.answer = asyncio.Event()

    def take(self) -> None:
        """From here on, requests of this task and of those that it begins wait at the gates."""
        _hold.set(self)

    def let_go(self) -> None:
        self.leave.set()
        self.answer.set()


_hold: ContextVar[Hold | None] = ContextVar("hold", default=None)
_at_its_request: WeakSet[Model] = WeakSet()


async def released(*_: object) -> None:
    """Wait until this task's requests may leave; at once for one that nobody holds."""
    hold = _hold.get()
    if hold is not None:
        await hold.leave.wait()


async def _awaited() -> None:
    """Wait until somebody is there for the answer."""
    hold = _hold.get()
    if hold is not None:
        await hold.answer.wait()


def waits(model: Model) -> Model:
    """Say of a model that its own HTTP client awaits `released`, the last moment there is."""
    _at_its_request.add(model)
    return model


class Held(Model):
    """A model that is not asked before its request is released, whatever model it is."""

    def __init__(self, model: Model) -> None:
        self._model = model

    async def _may_be_asked(self) -> None:
        if self._model not in _at_its_request:
            await released()

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        await self._may_be_asked()
        response = await self._model.get_response(*args, **kwargs)
        await _awaited()
        return response

    async def stream_response(
        self, *args: Any, **kwargs: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        await self._may_be_asked()
        async for event in self._model.stream_response(*args, **kwargs):
            await _awaited()
            yield event

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        return self._model.get_retry_advice(request)

    async def close(self) -> None:
        await self._model.close()
