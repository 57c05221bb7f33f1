"""A model whose answer ChatKit and the Agents SDK can read, whatever its provider sends."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from agents import ModelResponse
from agents.items import TResponseStreamEvent

from .citations import readable_events, readable_output
from .refusals import refusals_as_text
from .thoughts import output_without_thoughts, thoughts_as_reasoning
from .whole_answers import whole_arguments, whole_event
from .wrapped import WrappedModel


class ReadableModel(WrappedModel):
    """Wraps a model. Nothing that its provider adds to an answer ends the answer."""

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        response = await self._model.get_response(*args, **kwargs)
        output = output_without_thoughts(readable_output(response.output))
        return replace(response, output=whole_arguments(output))

    async def stream_response(
        self, *args: Any, **kwargs: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        events = readable_events(self._model.stream_response(*args, **kwargs))
        async for event in refusals_as_text(thoughts_as_reasoning(events)):
            yield whole_event(event)
