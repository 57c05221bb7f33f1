"""A model whose calls are spans of a trace."""

from collections.abc import AsyncIterator
from typing import Any

from agents import Model, ModelResponse
from agents.items import TResponseStreamEvent

from ..spans import Span, Value, begin_part
from .wrapped import WrappedModel


class TracedModel(WrappedModel):
    """Wraps the model `name` of a provider."""

    def __init__(self, model: Model, provider: str, name: str) -> None:
        super().__init__(model)
        self._provider = provider
        self._name = name

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        part = self._begin()
        try:
            return await self._model.get_response(*args, **kwargs)
        except Exception as error:
            _finish(part, error)
            raise
        finally:
            _finish(part)

    async def stream_response(
        self, *args: Any, **kwargs: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        part = self._begin()
        try:
            async for event in self._model.stream_response(*args, **kwargs):
                yield event
        except Exception as error:
            _finish(part, error)
            raise
        finally:
            _finish(part)

    def _begin(self) -> Span | None:
        """The span, with the attributes of OpenTelemetry's conventions for models.

        https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
        """
        about: dict[str, Value] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": self._provider,
            "gen_ai.request.model": self._name,
        }
        return begin_part(f"chat {self._name}", "client", about)


def _finish(part: Span | None, error: Exception | None = None) -> None:
    if part is not None:
        part.finish(error)
