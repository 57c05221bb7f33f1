"""Logs each request that a model's provider refuses or breaks off, without a word of it.

The message of a provider's error quotes the request. Its code is a short name, and its request id
is what the provider's support asks for.
"""

import logging
from collections.abc import AsyncIterator
from typing import Any

import openai
from agents import Model, ModelResponse
from agents.items import TResponseStreamEvent

from ..telemetry import name_or_dash
from .wrapped import WrappedModel

logger = logging.getLogger(__name__)


class LogRefusals(WrappedModel):
    """Wraps a model and logs its refused requests. Every error is raised again."""

    def __init__(self, model: Model, provider: str, name: str) -> None:
        super().__init__(model)
        self._provider = provider
        self._name = name

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        try:
            return await self._model.get_response(*args, **kwargs)
        except openai.APIError as error:
            self._log_error(error)
            raise

    async def stream_response(
        self, *args: Any, **kwargs: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        try:
            async for event in self._model.stream_response(*args, **kwargs):
                if event.type == "response.failed":
                    failed = event.response.error
                    self._log("failed", code=failed and failed.code, request_id=event.response.id)
                elif event.type == "error":
                    self._log("failed", code=event.code)
                yield event
        except openai.APIError as error:
            self._log_error(error)
            raise

    def _log_error(self, error: openai.APIError) -> None:
        status = getattr(error, "status_code", None)
        request_id = getattr(error, "request_id", None)
        self._log(status or type(error).__name__, code=error.code, request_id=request_id)

    def _log(self, status: object, *, code: object = None, request_id: object = None) -> None:
        logger.warning(
            "the model's provider refused a request: provider=%s model=%s status=%s code=%s "
            "request_id=%s",
            self._provider,
            self._name,
            status,
            name_or_dash(code),
            name_or_dash(request_id),
        )
