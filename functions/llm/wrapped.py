"""The base classes of models that pass requests on to another model."""

from abc import abstractmethod
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from agents import Model, ModelResponse, ModelSettings, TResponseInputItem
from agents.items import TResponseStreamEvent
from agents.retry import ModelRetryAdvice, ModelRetryAdviceRequest

ModelInput = str | list[TResponseInputItem]


class WrappedModel(Model):
    """Passes on what a wrapper does not change. A subclass implements the two kinds of request."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        return self._model.get_retry_advice(request)

    async def close(self) -> None:
        await self._model.close()


class ModelWithOtherSettings(WrappedModel):
    """Changes the settings of each request, and nothing else of it."""

    async def get_response(
        self,
        system_instructions: str | None,
        input: ModelInput,  # noqa: A002 - the SDK's name
        model_settings: ModelSettings,
        *args: Any,
        **kwargs: Any,
    ) -> ModelResponse:
        settings = self.changed(model_settings, input)
        return await self._model.get_response(system_instructions, input, settings, *args, **kwargs)

    async def stream_response(
        self,
        system_instructions: str | None,
        input: ModelInput,  # noqa: A002 - the SDK's name
        model_settings: ModelSettings,
        *args: Any,
        **kwargs: Any,
    ) -> AsyncIterator[TResponseStreamEvent]:
        settings = self.changed(model_settings, input)
        events: Any = self._model.stream_response(
            system_instructions, input, settings, *args, **kwargs
        )
        async with aclosing(events):
            async for event in events:
                yield event

    @abstractmethod
    def changed(self, settings: ModelSettings, given: ModelInput) -> ModelSettings:
        """The settings with which `given`, the request's input, is sent."""
