"""Lets a request to a model be made ready before it may leave."""

import asyncio
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any
from weakref import WeakSet

from agents import Model, ModelResponse
from agents.items import TResponseStreamEvent
from agents.retry import ModelRetryAdvice, ModelRetryAdviceRequest

_held: ContextVar[asyncio.Event | None] = ContextVar("held", default=None)
_at_its_request: WeakSet[Model] = WeakSet()


def hold() -> asyncio.Event:
    """From here on, requests of this task and of those that it begins wait for the event."""
    event = asyncio.Event()
    _held.set(event)
    return event


async def released(*_: object) -> None:
    """Wait until this task's requests may leave; at once for one that nobody holds."""
    event = _held.get()
    if event is not None:
        await event.wait()


def waits(model: Model) -> Model:
    """Say of a model that its own HTTP client awaits `released`, the last moment there is."""
    _at_its_request.add(model)
    return model


def held(model: Model) -> Model:
    """A model that is not asked before its request is released, whatever model it is."""
    return model if model in _at_its_request else _Held(model)


class _Held(Model):
    def __init__(self, model: Model) -> None:
        self._model = model

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        await released()
        return await self._model.get_response(*args, **kwargs)

    async def stream_response(
        self, *args: Any, **kwargs: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        await released()
        async for event in self._model.stream_response(*args, **kwargs):
            yield event

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        return self._model.get_retry_advice(request)

    async def close(self) -> None:
        await self._model.close()
