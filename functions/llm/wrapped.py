"""The base class of models that pass requests on to another model."""

from agents import Model
from agents.retry import ModelRetryAdvice, ModelRetryAdviceRequest


class WrappedModel(Model):
    """Passes on what a wrapper does not change. A subclass implements the two kinds of request."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        return self._model.get_retry_advice(request)

    async def close(self) -> None:
        await self._model.close()
