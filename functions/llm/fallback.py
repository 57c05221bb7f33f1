"""A model in whose place another one answers when it fails before its first token."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from http import HTTPStatus
from typing import Any, Final, cast

import openai
from agents import Model, ModelResponse
from agents.items import TResponseStreamEvent

from .too_long import BEFORE_THE_ANSWER, failure_in
from .wrapped import WrappedModel

logger = logging.getLogger(__name__)

Stream = AsyncGenerator[TResponseStreamEvent]
"""The type of what the models stream. A stream that is closed has counted its call."""

_FAULTS: Final = frozenset({"server_error", "rate_limit_exceeded"})
"""The codes of failures in a stream that are the provider's fault. OpenAI's API has more, which say
that the request is wrong. https://platform.openai.com/docs/api-reference/responses/object"""


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
        held: list[TResponseStreamEvent] = []  # sent on only when this model answers
        try:
            stream = cast(Stream, self._model.stream_response(*args, **kwargs))
            async with aclosing(stream) as events:
                async for event in events:
                    if began:
                        yield event
                        continue
                    if event.type in BEFORE_THE_ANSWER:
                        held.append(event)
                        continue
                    code = getattr(failure_in(event), "code", None)
                    if failed := code in _FAULTS:
                        self._log(code)
                        break
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
        async with aclosing(cast(Stream, model.stream_response(*args, **kwargs))) as events:
            async for event in events:
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
