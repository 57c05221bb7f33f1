"""A model with a reasoning effort and a temperature of its own."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from agents import Model, ModelResponse, ModelSettings
from agents.items import TResponseStreamEvent
from openai.types.shared import Reasoning

from ..model_list import ReasoningEffort
from .wrapped import WrappedModel


class PresetModel(WrappedModel):
    """Wraps a model. What the agent's own settings say is used as it is."""

    def __init__(
        self, model: Model, reasoning_effort: ReasoningEffort | None, temperature: float | None
    ) -> None:
        super().__init__(model)
        self._effort = reasoning_effort
        self._temperature = temperature

    async def get_response(
        self,
        system_instructions: str | None,
        input: Any,  # noqa: A002 - the SDK's name
        model_settings: ModelSettings,
        *args: Any,
        **kwargs: Any,
    ) -> ModelResponse:
        settings = self._settings(model_settings)
        return await self._model.get_response(system_instructions, input, settings, *args, **kwargs)

    async def stream_response(
        self,
        system_instructions: str | None,
        input: Any,  # noqa: A002 - the SDK's name
        model_settings: ModelSettings,
        *args: Any,
        **kwargs: Any,
    ) -> AsyncIterator[TResponseStreamEvent]:
        settings = self._settings(model_settings)
        async for event in self._model.stream_response(
            system_instructions, input, settings, *args, **kwargs
        ):
            yield event

    def _settings(self, given: ModelSettings) -> ModelSettings:
        settings = ModelSettings(temperature=self._temperature).resolve(given)
        if self._effort is None:
            return settings
        reasoning = given.reasoning or Reasoning()
        if reasoning.effort is not None:
            return settings
        return replace(settings, reasoning=reasoning.model_copy(update={"effort": self._effort}))
