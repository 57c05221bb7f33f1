"""A model that repeats a request without files when its provider rejects them.

It is not known in advance which files a provider accepts: it may reject an encrypted PDF, a small
image, or every PDF. The files of a thread are part of every later request, so one rejected file
would otherwise end the thread.
"""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any, Final

import openai
from agents import Model, ModelResponse, TResponseInputItem
from agents.items import TResponseStreamEvent

from .wrapped import WrappedModel

logger = logging.getLogger(__name__)

FILES: Final = frozenset({"input_image", "input_file"})
REFUSALS: Final = frozenset({400, 413, 415, 422})
"""The statuses with which providers reject a file, or too many files."""

_Input = str | list[TResponseInputItem]


class RetryWithoutFiles(WrappedModel):
    """Wraps a model for one run. If a request with files is rejected, it is sent again with the
    files' names instead, and so are all later requests of the run.

    A request is repeated only when it fails before its first event. Other errors are raised.
    """

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self._rejected = False

    async def get_response(
        self,
        system_instructions: str | None,
        input: _Input,  # noqa: A002 - the SDK's name
        *args: Any,
        **kwargs: Any,
    ) -> ModelResponse:
        given = _named(input) if self._rejected else input
        try:
            return await self._model.get_response(system_instructions, given, *args, **kwargs)
        except openai.APIStatusError as error:
            given = self._without_files(given, error)
        return await self._model.get_response(system_instructions, given, *args, **kwargs)

    async def stream_response(
        self,
        system_instructions: str | None,
        input: _Input,  # noqa: A002 - the SDK's name
        *args: Any,
        **kwargs: Any,
    ) -> AsyncIterator[TResponseStreamEvent]:
        given = _named(input) if self._rejected else input
        started = False
        try:
            async for event in self._model.stream_response(
                system_instructions, given, *args, **kwargs
            ):
                started = True
                yield event
        except openai.APIStatusError as error:
            if started:
                raise
            given = self._without_files(given, error)
        else:
            return
        async for event in self._model.stream_response(system_instructions, given, *args, **kwargs):
            yield event

    def _without_files(self, given: _Input, error: openai.APIStatusError) -> _Input:
        """The input for the second request; raises `error` when files did not cause it."""
        named = _named(given)
        if error.status_code not in REFUSALS or named == given:
            raise error
        logger.warning("the provider rejected a request with files: it is sent without them")
        self._rejected = True
        return named


def _named(given: _Input) -> _Input:
    """The input with the names of its files in their place."""
    return given if isinstance(given, str) else [_named_item(item) for item in given]


def _named_item(item: Any) -> Any:
    content = item.get("content")
    if item.get("role") != "user" or not isinstance(content, list):
        return item
    return {**item, "content": [_named_part(part) for part in content]}


def _named_part(part: Any) -> Any:
    if part.get("type") not in FILES:
        return part
    name = part.get("filename")
    what = f"the file {json.dumps(name, ensure_ascii=False)}" if name else "an image"
    text = f"Here is {what}, which cannot be shown to you. If it matters, say so politely."
    return {"type": "input_text", "text": text}
