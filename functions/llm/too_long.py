"""A model that repeats a request in a shorter form when its provider says that it is too long.

It is not known in advance how much a model takes, and each counts tokens in its own way.
"""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, Final

import openai
from agents import Model, ModelResponse, TResponseInputItem
from agents.items import TResponseStreamEvent
from chatkit.errors import CustomStreamError

from .length import last_turn, shorten, tokens
from .model_input import in_turns
from .wrapped import WrappedModel

logger = logging.getLogger(__name__)

NOTE: Final = (
    "[The conversation is too long for you. Its beginning is left out, or the middle of its texts.]"
)

TOO_LONG: Final = (
    "This is too long for the model. Send a shorter message, or begin a new conversation."
)
"""What a visitor reads when all forms of a request were too long."""

_SAYS_SO = re.compile(
    r"context[ _](length|size|window)|maximum (context|prompt) length|(prompt|input)s? (is|are) too"
    r" (long|large)|token count.*exceeds|reduce the length|string_above_max_length|max_new_tokens",
    re.IGNORECASE | re.DOTALL,
)
"""What OpenAI, vLLM, llama.cpp, Gemini, Mistral, Groq, Anthropic, Bedrock and TGI say."""

BEFORE_THE_ANSWER: Final = frozenset(
    {"response.created", "response.queued", "response.in_progress"}
)
"""The events that the Responses API sends before the first token, or before a failure."""

_Input = str | list[TResponseInputItem]


def is_too_long(error: Any) -> bool:
    """Whether a provider's error, with its code and message, says that a request is too long."""
    return _SAYS_SO.search(f"{error.code} {error.message}") is not None


class RetryShorter(WrappedModel):
    """Wraps a model for one run. A request that is too long is sent again with half of it, and then
    with the newest message alone, which is cut. Later requests of the run begin where this ended.

    A request is repeated only when it fails before the answer begins. Other errors are raised.
    """

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self._shortened = 0

    async def get_response(
        self,
        system_instructions: str | None,
        input: _Input,  # noqa: A002 - the SDK's name
        *args: Any,
        **kwargs: Any,
    ) -> ModelResponse:
        while True:
            given = _shorter(input, self._shortened)
            try:
                return await self._model.get_response(system_instructions, given, *args, **kwargs)
            except openai.APIError as error:
                if not self._shorten_after(error):
                    raise

    async def stream_response(
        self,
        system_instructions: str | None,
        input: _Input,  # noqa: A002 - the SDK's name
        *args: Any,
        **kwargs: Any,
    ) -> AsyncIterator[TResponseStreamEvent]:
        while True:
            given = _shorter(input, self._shortened)
            held: list[TResponseStreamEvent] | None = []
            events: Any = self._model.stream_response(system_instructions, given, *args, **kwargs)
            try:
                async with aclosing(events):
                    async for event in events:
                        if held is not None:
                            held.append(event)
                            if event.type in BEFORE_THE_ANSWER:
                                continue
                            failure = failure_in(event)
                            if failure is not None and self._shorten_after(failure):
                                break
                            if failure is not None and is_too_long(failure):
                                # The Agents SDK would raise an error that does not say so.
                                raise CustomStreamError(TOO_LONG, allow_retry=False)
                            for each in held:
                                yield each
                            held = None
                        else:
                            yield event
                    else:
                        for each in held or []:
                            yield each
                        return
            except openai.APIError as error:
                if held is None or not self._shorten_after(error):
                    raise

    def _shorten_after(self, error: Any) -> bool:
        """Whether to send the request again, shorter than before."""
        if self._shortened == len(_FORMS) or not is_too_long(error):
            return False
        self._shortened += 1
        logger.warning("a request was too long for the model: it is sent again, shorter")
        return True


def failure_in(event: TResponseStreamEvent) -> Any:
    """The error in an event of the Responses API, with its `code` and `message`, or None."""
    if event.type == "response.failed":
        return event.response.error
    return event if event.type == "error" else None


def _half(items: list[TResponseInputItem]) -> list[TResponseInputItem]:
    return shorten(items, tokens(items) // 2)


def _newest(items: list[TResponseInputItem]) -> list[TResponseInputItem]:
    newest = last_turn(items)
    return shorten(newest, min(tokens(items) // 4, tokens(newest) // 2))


_FORMS: Final = (_half, _newest)


def _shorter(given: _Input, times: int) -> _Input:
    if times == 0:
        return given
    items: Any = [{"role": "user", "content": given}] if isinstance(given, str) else given
    note: Any = {"type": "message", "role": "user", "content": NOTE}
    return in_turns([note, *_FORMS[times - 1](items)])
