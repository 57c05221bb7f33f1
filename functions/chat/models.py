"""The models that the agents of one answer may use, all counted in the answer's use."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from agents import Model, ModelProvider, ModelResponse
from agents.items import TResponseStreamEvent

from ..llm.forced_tool import ForceToolOnce
from ..llm.refused_files import RetryWithoutFiles
from ..llm.too_long import RetryShorter

Build = Callable[[str], Awaitable[Model]]
"""Makes the model of a name. It reads the provider's key, which takes a request now and then."""


class TurnModels(ModelProvider):
    """The chosen model for an agent that names none, and a model of the provider for each name."""

    def __init__(
        self, chosen: Model, build: Build, *, name: str, full_name: Callable[[str], str]
    ) -> None:
        self._chosen = _retried(chosen)
        self._build = build
        self.name = name
        """The id of the chosen model."""
        self._full_name = full_name

    def get_model(self, model_name: str | None) -> Model:
        return self._chosen if model_name is None else _retried(_Named(model_name, self._build))

    def full_name(self, model: str | Model | None) -> str | None:
        """The provider and the name of an agent's model; `None` for an agent with its own model."""
        return None if isinstance(model, Model) else self._full_name(model or self.name)

    def choosing(self, name: str) -> "TurnModels":
        """The same models, of which the one of this name is the chosen one."""
        chosen = _Named(name, self._build)
        return TurnModels(chosen, self._build, name=name, full_name=self._full_name)


def _retried(model: Model) -> Model:
    return ForceToolOnce(RetryWithoutFiles(RetryShorter(model)))


class _Named(Model):
    """A model that is made at its first call, because the SDK does not wait for a provider."""

    def __init__(self, name: str, build: Build) -> None:
        self._name = name
        self._build = build

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        model = await self._build(self._name)
        return await model.get_response(*args, **kwargs)

    async def stream_response(
        self, *args: Any, **kwargs: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        model = await self._build(self._name)
        async for event in model.stream_response(*args, **kwargs):
            yield event
