"""Citations: marks in an assistant's words become annotations at their places.

A model writes `[[k:<passage id>]]` behind what a passage supports. No message that the page gets
has such a mark. One whose passage a search of this conversation has found becomes an `EntitySource`
where it stood, and any other one vanishes: so an answer cannot cite what was not found.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

from chatkit.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartDone,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    EntitySource,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
)

_INSIDE: Final = r"[^\[\]\n]{0,200}"
# A space before a mark goes with it. Three are enough, and keep the search linear.
_MARK: Final = re.compile(rf" {{0,3}}\[\[k:({_INSIDE})\]\]")
_BEGUN: Final = re.compile(rf" {{0,3}}(?:\[(?:\[(?:k(?::{_INSIDE}\]?)?)?)?)?\Z")
"""What may become a mark with the text that follows."""
_BROKEN_OFF: Final = re.compile(rf" {{0,3}}\[\[k:{_INSIDE}\]?\Z")
_BETWEEN: Final = re.compile(r"[\s,;]+(?:k:)?")
"""Between the ids of a mark: some models write several into one."""

SourceOf = Callable[[str], EntitySource | None]
"""What cites a passage, by its id; `None` for a passage that was not found."""


class Citations:
    """The citations of one answer."""

    def __init__(self, source_of: SourceOf) -> None:
        self._source_of = source_of
        self._parts: dict[tuple[str, int], _Part] = {}

    async def within(
        self, events: AsyncIterator[ThreadStreamEvent]
    ) -> AsyncIterator[ThreadStreamEvent]:
        """The events of an answer, with annotations in place of marks.

        Text is held back only while it may be the beginning of a mark.
        """
        async for event in events:
            match event:
                case ThreadItemAddedEvent(item=AssistantMessageItem() as item):
                    yield event.model_copy(update={"item": self._begun(item)})
                case (
                    ThreadItemDoneEvent(item=AssistantMessageItem() as item)
                    | ThreadItemReplacedEvent(item=AssistantMessageItem() as item)
                ):
                    yield event.model_copy(update={"item": self._whole(item)})
                case ThreadItemUpdatedEvent():
                    for update in self._updates(event):
                        yield event.model_copy(update={"update": update})
                case _:
                    yield event

    def _updates(self, event: ThreadItemUpdatedEvent) -> Iterator[object]:
        """The updates that one becomes: none, while all of it is held back."""
        update = event.update
        match update:
            case AssistantMessageContentPartAdded():
                part = self._parts[event.item_id, update.content_index] = _Part(self._source_of)
                content = part.content(update.content)
                yield update.model_copy(update={"content": content})
            case AssistantMessageContentPartTextDelta():
                part = self._part(event.item_id, update.content_index)
                for piece in part.read(update.delta):
                    if isinstance(piece, str):
                        yield update.model_copy(update={"delta": piece})
                    else:
                        yield self._added(event.item_id, update.content_index, piece)
            case AssistantMessageContentPartAnnotationAdded():
                part = self._part(event.item_id, update.content_index)
                yield self._added(
                    event.item_id, update.content_index, part.moved(update.annotation)
                )
            case AssistantMessageContentPartDone():
                content = _Part(self._source_of).content(update.content, whole=True)
                yield update.model_copy(update={"content": content})
            case _:
                yield update

    def _added(
        self, item_id: str, index: int, annotation: Annotation
    ) -> AssistantMessageContentPartAnnotationAdded:
        part = self._part(item_id, index)
        part.annotations += 1
        return AssistantMessageContentPartAnnotationAdded(
            content_index=index, annotation_index=part.annotations - 1, annotation=annotation
        )

    def _part(self, item_id: str, index: int) -> "_Part":
        return self._parts.setdefault((item_id, index), _Part(self._source_of))

    def _begun(self, item: AssistantMessageItem) -> AssistantMessageItem:
        parts = [_Part(self._source_of) for _ in item.content]
        self._parts |= {(item.id, index): part for index, part in enumerate(parts)}
        content = [part.content(each) for part, each in zip(parts, item.content, strict=True)]
        return item.model_copy(update={"content": content})

    def _whole(self, item: AssistantMessageItem) -> AssistantMessageItem:
        parts = [_Part(self._source_of) for _ in item.content]
        content = [
            part.content(each, whole=True) for part, each in zip(parts, item.content, strict=True)
        ]
        return item.model_copy(update={"content": content})


class _Part:
    """One part of a message's content, as far as it was read."""

    def __init__(self, source_of: SourceOf) -> None:
        self.annotations = 0
        self._source_of = source_of
        self._held = ""
        self._shown = 0
        self._left_out: list[tuple[int, int]] = []
        """Where a mark ends in the text as it was written, and how long it is."""

    def content(
        self, given: AssistantMessageContent, *, whole: bool = False
    ) -> AssistantMessageContent:
        """A part with its text so far, or the `whole` of it."""
        pieces = [*self.read(given.text, last=whole)]
        text = "".join(piece for piece in pieces if isinstance(piece, str))
        cited = [piece for piece in pieces if isinstance(piece, Annotation)]
        annotations = [*map(self.moved, given.annotations), *cited]
        self.annotations = len(annotations)
        return given.model_copy(update={"text": text, "annotations": annotations})

    def read(self, delta: str, *, last: bool = False) -> Iterator[str | Annotation]:
        """What the page gets of the next text, in order."""
        text = self._held + delta
        end = 0
        for mark in _MARK.finditer(text):
            yield from self._text(text[end : mark.start()])
            yield from self._cited(mark)
            end = mark.end()
        open_end = (_BROKEN_OFF if last else _BEGUN).search(text, end)
        held = len(text) if open_end is None else open_end.start()
        yield from self._text(text[end:held])
        self._held = text[held:]

    def moved(self, annotation: Annotation) -> Annotation:
        """An annotation of the model's own, whose place the marks before it have moved."""
        if annotation.index is None:
            return annotation
        before = sum(length for end, length in self._left_out if end <= annotation.index)
        return annotation.model_copy(update={"index": annotation.index - before})

    def _text(self, text: str) -> Iterator[str]:
        self._shown += len(text)
        if text:
            yield text

    def _cited(self, mark: re.Match[str]) -> Iterator[Annotation]:
        written = self._shown + sum(length for _, length in self._left_out)
        length = len(mark[0])
        self._left_out.append((written + length, length))
        for passage in dict.fromkeys(_BETWEEN.split(mark[1].strip())):
            if (source := self._source_of(passage)) is not None:
                yield Annotation(source=source, index=self._shown)
