"""Makes the stream events that a model of the Responses API sends."""

import asyncio
import itertools
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import cast
from uuid import uuid4

from agents.items import TResponseStreamEvent
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseContentPartAddedEvent,
    ResponseContentPartDoneEvent,
    ResponseCreatedEvent,
    ResponseFunctionToolCall,
    ResponseOutputItem,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseTextDeltaEvent,
    ResponseTextDoneEvent,
)

PACE = 0.02
"""Seconds between two words, about the speed of a real model."""


def message(text: str) -> ResponseOutputMessage:
    return ResponseOutputMessage(
        id=f"msg_{uuid4().hex}",
        content=[ResponseOutputText(text=text, type="output_text", annotations=[])],
        role="assistant",
        status="completed",
        type="message",
    )


async def stream(
    output: Sequence[ResponseOutputMessage | ResponseFunctionToolCall],
) -> AsyncIterator[TResponseStreamEvent]:
    """The events of one response: messages word by word at `PACE`, tool calls at once."""
    sequence = itertools.count()
    yield ResponseCreatedEvent(
        response=_response([]), sequence_number=next(sequence), type="response.created"
    )
    for index, item in enumerate(output):
        is_message = isinstance(item, ResponseOutputMessage)
        begun = item.model_copy(update={"content": [], "status": "in_progress"})
        yield ResponseOutputItemAddedEvent(
            item=begun if is_message else item,
            output_index=index,
            sequence_number=next(sequence),
            type="response.output_item.added",
        )
        if isinstance(item, ResponseOutputMessage):
            async for event in _words(item, index, sequence):
                yield event
        yield ResponseOutputItemDoneEvent(
            item=item,
            output_index=index,
            sequence_number=next(sequence),
            type="response.output_item.done",
        )
    yield ResponseCompletedEvent(
        response=_response([*output]), sequence_number=next(sequence), type="response.completed"
    )


async def _words(
    whole: ResponseOutputMessage, index: int, sequence: Iterator[int]
) -> AsyncIterator[TResponseStreamEvent]:
    part = cast("ResponseOutputText", whole.content[0])
    yield ResponseContentPartAddedEvent(
        item_id=whole.id,
        content_index=0,
        output_index=index,
        part=part.model_copy(update={"text": ""}),
        sequence_number=next(sequence),
        type="response.content_part.added",
    )
    for word in re.findall(r"\S+\s*|\s+", part.text):
        yield ResponseTextDeltaEvent(
            item_id=whole.id,
            content_index=0,
            output_index=index,
            delta=word,
            logprobs=[],
            sequence_number=next(sequence),
            type="response.output_text.delta",
        )
        await asyncio.sleep(PACE)
    yield ResponseTextDoneEvent(
        item_id=whole.id,
        content_index=0,
        output_index=index,
        text=part.text,
        logprobs=[],
        sequence_number=next(sequence),
        type="response.output_text.done",
    )
    yield ResponseContentPartDoneEvent(
        item_id=whole.id,
        content_index=0,
        output_index=index,
        part=part,
        sequence_number=next(sequence),
        type="response.content_part.done",
    )


def _response(output: list[ResponseOutputItem]) -> Response:
    return Response(
        id=f"resp_{uuid4().hex}",
        created_at=time.time(),
        model="demo",
        object="response",
        output=output,
        parallel_tool_calls=False,
        tool_choice="auto",
        tools=[],
    )
