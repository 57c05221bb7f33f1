"""Makes the events of an answer readable for ChatKit's SDK: its citations, parts and items.

OpenAI's SDK does not validate what is streamed. So a citation may have a class that ChatKit's SDK
rejects, or no address, and parts and items may be of unknown types. Each of these would end the
answer, so it is converted or left out.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import Any, Final

from agents.items import TResponseStreamEvent
from openai.types.responses import ResponseOutputItem, ResponseOutputMessage
from openai.types.responses.response_output_text import Annotation
from pydantic import BaseModel, TypeAdapter, ValidationError

logger = logging.getLogger(__name__)

READABLE_PARTS: Final = frozenset({"output_text", "refusal"})
STREAMED_PARTS: Final = READABLE_PARTS | {"reasoning_text"}
FINAL_EVENTS: Final = frozenset({"response.completed", "response.incomplete", "response.failed"})

_citation: TypeAdapter[Annotation] = TypeAdapter(Annotation)


async def readable_events(
    events: AsyncIterator[TResponseStreamEvent],
) -> AsyncGenerator[TResponseStreamEvent]:
    """The events without what cannot be read, which is logged as a warning."""
    async for event in events:
        read = _readable_event(event)
        if read is not None:
            yield read


def readable_output(output: Iterable[ResponseOutputItem] | None) -> list[ResponseOutputItem]:
    items = [_readable_item(item) for item in output or []]
    return [item for item in items if item is not None]


def _readable_event(event: Any) -> Any:
    """The event as ChatKit's SDK reads it; None when it cannot."""
    kind = getattr(event, "type", None)
    if kind == "response.output_text.annotation.added":
        citation = _readable_citation(event.annotation)
        return None if citation is None else event.model_copy(update={"annotation": citation})
    if kind in {"response.content_part.added", "response.content_part.done"}:
        part = _readable_part(event.part, STREAMED_PARTS)
        return None if part is None else event.model_copy(update={"part": part})
    if kind in {"response.output_item.added", "response.output_item.done"}:
        item = _readable_item(event.item)
        return None if item is None else event.model_copy(update={"item": item})
    if kind in FINAL_EVENTS:
        output = readable_output(event.response.output)
        response = event.response.model_copy(update={"output": output})
        return event.model_copy(update={"response": response})
    return event


def _readable_item(item: Any) -> Any:
    if not isinstance(item, ResponseOutputMessage):
        return item
    if item.type != "message":
        # OpenAI's SDK takes an item of a type that it does not know for a message.
        logger.warning("an item of an answer cannot be read: it is left out")
        return None
    parts = [_readable_part(part, READABLE_PARTS) for part in item.content or []]
    return item.model_copy(update={"content": [part for part in parts if part is not None]})


def _readable_part(part: Any, kinds: frozenset[str]) -> Any:
    kind = getattr(part, "type", None)
    if kind not in kinds:
        logger.warning("a part of an answer cannot be read: it is left out")
        return None
    if kind != "output_text":
        return part
    citations = [_readable_citation(each) for each in part.annotations or []]
    return part.model_copy(update={"annotations": [each for each in citations if each is not None]})


def _readable_citation(citation: Any) -> Annotation | None:
    fields = citation.model_dump() if isinstance(citation, BaseModel) else citation
    try:
        return _citation.validate_python(fields)
    except ValidationError:
        logger.warning("a citation in an answer cannot be read: it is left out")
        return None
