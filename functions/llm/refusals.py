"""Refusals as the text of an answer.

ChatKit has no refusals, and the Agents SDK ends a run at one with an error, which the page would
show with a button to retry. What a model says when it refuses is its answer.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Final

import openai
from agents.items import TResponseStreamEvent
from openai.types.responses import (
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseTextDeltaEvent,
    ResponseTextDoneEvent,
)

from .citations import FINAL_EVENTS
from .demo_events import message, stream

FILTERED: Final = "The provider's content filter withheld this answer."


async def refusals_as_text(
    events: AsyncGenerator[TResponseStreamEvent],
) -> AsyncIterator[TResponseStreamEvent]:
    """The events with text in place of refusals, and with a message in place of a filtered answer.

    A provider filters an answer by an incomplete response, and a question by an error.
    """
    started = False
    try:
        async with aclosing(events):
            async for event in events:
                if _is_filtered(event):
                    break
                started = True
                yield _text_event(event)
            else:
                return
    except openai.BadRequestError as error:
        if started or error.code != "content_filter":
            raise
    async for event in stream([message(FILTERED)]):
        yield event


def _is_filtered(event: TResponseStreamEvent) -> bool:
    if event.type != "response.incomplete":
        return False
    details = event.response.incomplete_details
    return details is not None and details.reason == "content_filter"


def _text_event(event: Any) -> Any:
    match event.type:
        case "response.refusal.delta":
            return ResponseTextDeltaEvent(
                content_index=event.content_index,
                delta=event.delta,
                item_id=event.item_id,
                logprobs=[],
                output_index=event.output_index,
                sequence_number=event.sequence_number,
                type="response.output_text.delta",
            )
        case "response.refusal.done":
            return ResponseTextDoneEvent(
                content_index=event.content_index,
                item_id=event.item_id,
                logprobs=[],
                output_index=event.output_index,
                sequence_number=event.sequence_number,
                text=event.refusal,
                type="response.output_text.done",
            )
        case "response.content_part.added" | "response.content_part.done":
            return event.model_copy(update={"part": _text_part(event.part)})
        case "response.output_item.added" | "response.output_item.done":
            return event.model_copy(update={"item": _text_item(event.item)})
        case kind if kind in FINAL_EVENTS:
            output = [_text_item(item) for item in event.response.output]
            response = event.response.model_copy(update={"output": output})
            return event.model_copy(update={"response": response})
    return event


def _text_item(item: Any) -> Any:
    if not isinstance(item, ResponseOutputMessage):
        return item
    return item.model_copy(update={"content": [_text_part(part) for part in item.content]})


def _text_part(part: Any) -> Any:
    if part.type != "refusal":
        return part
    return ResponseOutputText(annotations=[], text=part.refusal, type="output_text")
