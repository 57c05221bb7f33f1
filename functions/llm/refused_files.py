"""Asks a model again without the files, when its provider does not take them.

Which files a provider takes is not known before: an encrypted PDF, an image that it
finds too small, any PDF at all where only words and images are understood. Files are
part of every later message of a thread, so one refusal would be the thread's end.
"""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any, Final

import openai
from agents import Model, ModelResponse, TResponseInputItem
from agents.items import TResponseStreamEvent
from agents.retry import ModelRetryAdvice, ModelRetryAdviceRequest

logger = logging.getLogger(__name__)

FILES: Final = frozenset({"input_image", "input_file"})
REFUSALS: Final = frozenset({400, 413, 415, 422})
"""What providers answer to a file that they do not take, or to too many."""

_Input = str | list[TResponseInputItem]


class RetryWithoutFiles(Model):
    """A model that hears of files by name only once it was refused with them: one request more.

    For one run, whose later requests have the same files. What was refused before its first
    event is asked again; any other error is the model's.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._refused = False

    async def get_response(
        self,
        system_instructions: str | None,
        input: _Input,  # noqa: A002 - the SDK's name
        *args: Any,
        **kwargs: Any,
    ) -> ModelResponse:
        given = _named(input) if self._refused else input
        try:
            return await self._model.get_response(system_instructions, given, *args, **kwargs)
        except openai.APIStatusError as error:
            given = self._remedy(given, error)
        return await self._model.get_response(system_instructions, given, *args, **kwargs)

    async def stream_response(
        self,
        system_instructions: str | None,
        input: _Input,  # noqa: A002 - the SDK's name
        *args: Any,
        **kwargs: Any,
    ) -> AsyncIterator[TResponseStreamEvent]:
        given = _named(input) if self._refused else input
        begun = False
        try:
            async for event in self._model.stream_response(
                system_instructions, given, *args, **kwargs
            ):
                begun = True
                yield event
        except openai.APIStatusError as error:
            if begun:
                raise
            given = self._remedy(given, error)
        else:
            return
        async for event in self._model.stream_response(system_instructions, given, *args, **kwargs):
            yield event

    def _remedy(self, given: _Input, error: openai.APIStatusError) -> _Input:
        """What to ask instead; raises `error` where files are not what was refused."""
        named = _named(given)
        if error.status_code not in REFUSALS or named == given:
            raise error
        logger.warning("a request with files was refused: asking again without them")
        self._refused = True
        return named

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        return self._model.get_retry_advice(request)

    async def close(self) -> None:
        await self._model.close()


def _named(given: _Input) -> _Input:
    """The input with its files named instead of shown."""
    return given if isinstance(given, str) else [_without_files(item) for item in given]


def _without_files(item: Any) -> Any:
    content = item.get("content")
    if item.get("role") != "user" or not isinstance(content, list):
        return item
    return {**item, "content": [_words(part) for part in content]}


def _words(part: Any) -> Any:
    if part.get("type") not in FILES:
        return part
    name = part.get("filename")
    what = f"the file {json.dumps(name, ensure_ascii=False)}" if name else "an image"
    text = f"Here is {what}, which cannot be shown to you. If it matters, say so politely."
    return {"type": "input_text", "text": text}
