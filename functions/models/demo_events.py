"""The Responses API's stream events, as a real model would send them."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
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
"""Seconds between two words: about as fast as a real model, slow enough to watch."""


def message(text: str, *, item_id: str | None = None) -> ResponseOutputMessage:
    return ResponseOutputMessage(
        id=item_id or f"msg_{uuid4().hex}",
        content=[ResponseOutputText(text=text, type="output_text", annotations=[])],
        role="assistant",
        status="completed",
        type="message",
    )


async def stream_tool_call(call: ResponseFunctionToolCall) -> AsyncIterator[TResponseStreamEvent]:
    yield ResponseCreatedEvent(response=_response([]), sequence_number=0, type="response.created")
    yield ResponseOutputItemAddedEvent(
        item=call, output_index=0, sequence_number=1, type="response.output_item.added"
    )
    yield ResponseOutputItemDoneEvent(
        item=call, output_index=0, sequence_number=2, type="response.output_item.done"
    )
    yield ResponseCompletedEvent(
        response=_response([call]), sequence_number=3, type="response.completed"
    )


async def stream_message(text: str) -> AsyncIterator[TResponseStreamEvent]:
    """One message, word by word at `PACE`."""
    item_id = f"msg_{uuid4().hex}"
    sequence = iter(range(1_000_000))
    whole = message(text, item_id=item_id)
    part = ResponseOutputText(text="", type="output_text", annotations=[])
    empty = whole.model_copy(update={"content": [], "status": "in_progress"})

    yield ResponseCreatedEvent(
        response=_response([]), sequence_number=next(sequence), type="response.created"
    )
    yield ResponseOutputItemAddedEvent(
        item=empty,
        output_index=0,
        sequence_number=next(sequence),
        type="response.output_item.added",
    )
    yield ResponseContentPartAddedEvent(
        item_id=item_id,
        content_index=0,
        output_index=0,
        part=part,
        sequence_number=next(sequence),
        type="response.content_part.added",
    )
    for word in re.findall(r"\S+\s*|\s+", text):
        yield ResponseTextDeltaEvent(
            item_id=item_id,
            content_index=0,
            output_index=0,
            delta=word,
            logprobs=[],
            sequence_number=next(sequence),
            type="response.output_text.delta",
        )
        await asyncio.sleep(PACE)
    yield ResponseTextDoneEvent(
        item_id=item_id,
        content_index=0,
        output_index=0,
        text=text,
        logprobs=[],
        sequence_number=next(sequence),
        type="response.output_text.done",
    )
    yield ResponseContentPartDoneEvent(
        item_id=item_id,
        content_index=0,
        output_index=0,
        part=part.model_copy(update={"text": text}),
        sequence_number=next(sequence),
        type="response.content_part.done",
    )
    yield ResponseOutputItemDoneEvent(
        item=whole,
        output_index=0,
        sequence_number=next(sequence),
        type="response.output_item.done",
    )
    yield ResponseCompletedEvent(
        response=_response([whole]), sequence_number=next(sequence), type="response.completed"
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
