"""Turns the thoughts of open models into reasoning.

Many servers send what a model thinks as `<think>…</think>` at the beginning of its text, or as
reasoning text, of which ChatKit shows nothing. Here both become reasoning summaries, which ChatKit
shows as a workflow. Some send only `</think>`: then the thought is streamed as text, because nobody
can know what it is before it ends, and is not in the text that is kept.
"""

import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any, Final
from uuid import uuid4

from agents.items import TResponseStreamEvent
from openai.types.responses import (
    ResponseOutputItemAddedEvent,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseReasoningItem,
    ResponseReasoningSummaryTextDeltaEvent,
    ResponseReasoningSummaryTextDoneEvent,
)

BEGIN: Final = "<think>"
END: Final = "</think>"
_THOUGHT: Final = re.compile(
    rf"\s*{BEGIN}.*?(?:{END}\s*|\Z)"
    # Where the server has put BEGIN into the prompt, a line with END alone follows the thought.
    rf"|(?:(?!{BEGIN}).)*?^[ \t]*{END}[ \t]*(?:\n\s*|\Z)",
    re.DOTALL | re.MULTILINE,
)

_OTHERS: Final = ("response.reasoning", "response.function_call", "response.mcp", "response.custom")
"""Events of other items. Some servers give all items the same index."""


def without_thoughts(text: str) -> str:
    """The text without the thoughts at its beginning."""
    found = _THOUGHT.match(text)
    return text[found.end() :] if found else text


def output_without_thoughts(output: list[Any]) -> list[Any]:
    """Output items without thoughts. A message of thoughts alone is left out."""
    items = [_item(item) for item in output]
    return [item for item in items if item is not None]


async def thoughts_as_reasoning(
    events: AsyncGenerator[TResponseStreamEvent],
) -> AsyncGenerator[TResponseStreamEvent]:
    """The events with reasoning in place of thoughts."""
    message: _Message | None = None
    summarized = False
    async with aclosing(events):
        async for event in events:
            if event.type == "response.output_item.added" and event.item.type == "message":
                message = _Message(event.output_index)
            if event.type in {"response.reasoning_text.delta", "response.reasoning_text.done"}:
                if not summarized:  # some servers send the same thoughts in both ways
                    yield _as_summary(event)
            elif message is not None and message.has(event):
                for each in message.read(event):
                    yield each
                if event.type == "response.output_item.done":
                    message = None
            else:
                summarized = summarized or event.type == "response.reasoning_summary_text.delta"
                yield _final(event)


class _Message:
    """One message while it is streamed. Its first events wait until its text begins."""

    def __init__(self, output_index: int) -> None:
        self._output_index = output_index
        self._waiting: list[Any] = []
        self._begun = False
        self._text = ""
        self._thought: _Thought | None = None
        self._newest: Any = None

    def has(self, event: Any) -> bool:
        """Whether the event belongs to this message. Chat completions have one id for all."""
        kind = getattr(getattr(event, "item", None), "type", "message")
        mine = getattr(event, "output_index", None) == self._output_index
        return mine and kind == "message" and not event.type.startswith(_OTHERS)

    def read(self, event: Any) -> Iterator[Any]:
        if event.type == "response.output_text.delta" and not self._begun:
            yield from self._read_text(event)
        elif event.type == "response.output_text.delta":
            yield event
        elif event.type == "response.output_item.done":
            yield from self._end(event)
        elif self._begun:
            yield _final(event)
        elif event.type.startswith(("response.output_item.added", "response.content_part.added")):
            self._waiting.append(event)
        elif event.type.startswith("response.refusal"):
            yield from self._begin()
            yield event

    def _read_text(self, event: Any) -> Iterator[Any]:
        self._text += event.delta
        self._newest = event
        start = self._text.lstrip()
        if self._thought is None and start.startswith(BEGIN):
            self._thought = _Thought()
            yield self._thought.begin(event)
        elif BEGIN.startswith(start[: len(BEGIN)]) and self._thought is None:
            return  # not known yet
        if self._thought is not None:
            thought, ended, _ = start.removeprefix(BEGIN).partition(END)
            yield from self._thought.grow(thought, event, ended=bool(ended))
            if not ended:
                return
        rest = without_thoughts(self._text)
        if rest:
            yield from self._begin()
            yield event.model_copy(update={"delta": rest})

    def _begin(self) -> Iterator[Any]:
        self._begun = True
        yield from self._waiting

    def _end(self, event: Any) -> Iterator[Any]:
        item = _item(event.item)
        if self._thought is not None:
            thought = self._text.lstrip().removeprefix(BEGIN).partition(END)[0]
            yield from self._thought.grow(thought, event, ended=True)
        if item is not None:
            if not self._begun:
                yield from self._begin()
                if self._thought is None and self._newest is not None:
                    # All of the text could have been the beginning of a mark.
                    yield self._newest.model_copy(update={"delta": self._text})
            yield event.model_copy(update={"item": item})


class _Thought:
    """One thought while it is streamed."""

    def __init__(self) -> None:
        self._id = f"rs_{uuid4().hex}"
        self._sent = ""
        self._done = False

    def begin(self, event: Any) -> Any:
        return ResponseOutputItemAddedEvent(
            item=ResponseReasoningItem(id=self._id, summary=[], type="reasoning"),
            output_index=event.output_index,
            sequence_number=event.sequence_number,
            type="response.output_item.added",
        )

    def grow(self, text: str, event: Any, *, ended: bool) -> Iterator[Any]:
        """The events for the thought `text`, of which an earlier part was sent."""
        if self._done:
            return
        text = text.strip() if ended else _without_beginning_of_end(text).lstrip()
        place = {
            "item_id": self._id,
            "output_index": event.output_index,
            "summary_index": 0,
            "sequence_number": event.sequence_number,
        }
        kind = "response.reasoning_summary_text"
        if len(text) > len(self._sent):
            delta = text[len(self._sent) :]
            self._sent = text
            yield ResponseReasoningSummaryTextDeltaEvent(delta=delta, type=f"{kind}.delta", **place)
        if ended:
            self._done = True
            yield ResponseReasoningSummaryTextDoneEvent(text=text, type=f"{kind}.done", **place)


def _without_beginning_of_end(text: str) -> str:
    """The text without the first characters of `</think>` at its end, of which more may come."""
    for length in range(len(END) - 1, 0, -1):
        if text.endswith(END[:length]):
            return text[:-length]
    return text


def _as_summary(event: Any) -> Any:
    place = {
        "item_id": event.item_id,
        "output_index": event.output_index,
        "summary_index": event.content_index,
        "sequence_number": event.sequence_number,
    }
    kind = "response.reasoning_summary_text"
    if event.type.endswith(".delta"):
        return ResponseReasoningSummaryTextDeltaEvent(
            delta=event.delta, type=f"{kind}.delta", **place
        )
    return ResponseReasoningSummaryTextDoneEvent(text=event.text, type=f"{kind}.done", **place)


def _final(event: Any) -> Any:
    """The event with a text without thoughts, where it has the whole text."""
    if event.type == "response.output_text.done":
        return event.model_copy(update={"text": without_thoughts(event.text)})
    if event.type == "response.content_part.done" and event.part.type == "output_text":
        part = event.part.model_copy(update={"text": without_thoughts(event.part.text)})
        return event.model_copy(update={"part": part})
    if event.type in {"response.completed", "response.incomplete"}:
        output = output_without_thoughts(event.response.output)
        response = event.response.model_copy(update={"output": output})
        return event.model_copy(update={"response": response})
    return event


def _item(item: Any) -> Any:
    """The item without thoughts; None when it is a message of thoughts alone."""
    if not isinstance(item, ResponseOutputMessage):
        return item
    parts: list[Any] = []
    for part in item.content:
        if not isinstance(part, ResponseOutputText) or not _THOUGHT.match(part.text):
            parts.append(part)
        elif text := without_thoughts(part.text):
            parts.append(part.model_copy(update={"text": text}))
    return item.model_copy(update={"content": parts}) if parts else None
