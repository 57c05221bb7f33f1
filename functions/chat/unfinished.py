"""Keeps an unfinished message when the model fails.

The SDK stores an unfinished message when its stream is cancelled, but not when the model fails.
The visitor has read that text, so it is stored as a finished message.
"""

from collections.abc import AsyncIterator

from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
)


async def finish_on_error(
    events: AsyncIterator[ThreadStreamEvent],
) -> AsyncIterator[ThreadStreamEvent]:
    """Pass `events` on. When they fail, finish the current message before raising the error."""
    message: AssistantMessageItem | None = None
    try:
        async for event in events:
            match event:
                case ThreadItemAddedEvent(item=AssistantMessageItem() as item):
                    message = item.model_copy(deep=True)
                case ThreadItemUpdatedEvent() if message and event.item_id == message.id:
                    _apply(message, event)
                case ThreadItemDoneEvent() if message and event.item.id == message.id:
                    message = None
                case ThreadItemRemovedEvent() if message and event.item_id == message.id:
                    message = None
            yield event
    except Exception:
        if message is not None and any(part.text.strip() for part in message.content):
            yield ThreadItemDoneEvent(item=message)
        raise


def _apply(message: AssistantMessageItem, event: ThreadItemUpdatedEvent) -> None:
    match event.update:
        case AssistantMessageContentPartAdded() as part:
            _add_parts(message, part.content_index)
            message.content[part.content_index] = part.content.model_copy(deep=True)
        case AssistantMessageContentPartTextDelta() as part:
            _add_parts(message, part.content_index)
            message.content[part.content_index].text += part.delta
        case AssistantMessageContentPartAnnotationAdded() as part:
            _add_parts(message, part.content_index)
            annotations = message.content[part.content_index].annotations
            annotations.insert(part.annotation_index, part.annotation)


def _add_parts(message: AssistantMessageItem, index: int) -> None:
    while len(message.content) <= index:
        message.content.append(AssistantMessageContent(text="", annotations=[]))
