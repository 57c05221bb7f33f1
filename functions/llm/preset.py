"""A model with a reasoning effort and a temperature of its own."""

from dataclasses import replace

from agents import Model, ModelSettings
from openai.types.shared import Reasoning

from ..model_list import ReasoningEffort
from .wrapped import ModelInput, ModelWithOtherSettings


class PresetModel(ModelWithOtherSettings):
    """Wraps a model. What the agent's own settings say is used as it is."""

    def __init__(
        self, model: Model, reasoning_effort: ReasoningEffort | None, temperature: float | None
    ) -> None:
        super().__init__(model)
        self._effort = reasoning_effort
        self._temperature = temperature

    def changed(self, settings: ModelSettings, given: ModelInput) -> ModelSettings:  # noqa: ARG002
        own = settings.reasoning or Reasoning()
        settings = ModelSettings(temperature=self._temperature).resolve(settings)
        if self._effort is None or own.effort is not None:
            return settings
        return replace(settings, reasoning=own.model_copy(update={"effort": self._effort}))
