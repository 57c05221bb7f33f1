"""A model in whose place another one answers when it fails before its first token."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from http import HTTPStatus
from typing import Any, Final, cast

import openai
from agents import Model, ModelResponse
from agents.items import TResponseStreamEvent

from .wrapped import WrappedModel

logger = logging.getLogger(__name__)

Stream = AsyncGenerator[TResponseStreamEvent]
"""What the wrapped models are: they can be closed, so that a call is counted when it fails."""

_BEFORE_THE_FIRST_TOKEN: Final = frozenset(
    {"response.created", "response.queued", "response.in_progress"}
)
_FAULTS: Final = frozenset({"server_error", "rate_limit_exceeded"})
"""Codes of failures in a stream, of which OpenAI's API has more: the others say that the request is
wrong. https://platform.openai.com/docs/api-reference/responses/object"""


class FallbackModel(WrappedModel):
    """Wraps the model `name`. When it fails, the model `other` answers, which `second` makes.

    It does so after connection errors, timeouts, 408, 429 and 5xx. Every other refusal says that
    the request is wrong, which it would be for another model, too. After the first token a failure
    stays one, because the page has shown a part of the answer by then.
    """

    def __init__(
        self, model: Model, name: str, other: str, second: Callable[[], Awaitable[Model]]
    ) -> None:
        super().__init__(model)
        self._name = name
        self._other = other
        self._second = second

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        try:
            return await self._model.get_response(*args, **kwargs)
        except openai.APIError as error:
            if not _is_fault(error):
                raise
            self._log(error)
        model = await self._second()
        return await model.get_response(*args, **kwargs)

    async def stream_response(
        self, *args: Any, **kwargs: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        failed = began = False
        held: list[TResponseStreamEvent] = []  # of a model that fails nobody gets to know them
        try:
            stream = cast(Stream, self._model.stream_response(*args, **kwargs))
            async with aclosing(stream) as events:
                async for event in events:
                    if began:
                        yield event
                    elif event.type in _BEFORE_THE_FIRST_TOKEN:
                        held.append(event)
                    elif failed := _code(event) in _FAULTS:
                        self._log(_code(event))
                        break
                    else:
                        began = True
                        for earlier in held:
                            yield earlier
                        yield event
        except openai.APIError as error:
            if began or not _is_fault(error):
                raise
            failed = True
            self._log(error)
        if not failed:
            for event in [] if began else held:
                yield event
            return
        model = await self._second()
        async for event in model.stream_response(*args, **kwargs):
            yield event

    def _log(self, why: object) -> None:
        status = getattr(why, "status_code", None)
        logger.warning(
            "a model failed before its first token, and another one answers: model=%s fallback=%s "
            "status=%s",
            self._name,
            self._other,
            status or (why if isinstance(why, str) else type(why).__name__),
        )


def _is_fault(error: openai.APIError) -> bool:
    """Whether `error` is the provider's and not the request's."""
    if isinstance(error, openai.APIConnectionError):
        return True
    if isinstance(error, openai.RateLimitError | openai.InternalServerError):
        return True
    if isinstance(error, openai.APIStatusError):
        return error.status_code == HTTPStatus.REQUEST_TIMEOUT
    return bool({error.code, error.type} & _FAULTS)


def _code(event: Any) -> object:
    """The code of a failure that the Responses API sends as an event."""
    if event.type == "error":
        return event.code
    if event.type == "response.failed":
        error = event.response.error
        return error and error.code
    return None
