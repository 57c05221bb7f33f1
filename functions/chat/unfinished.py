"""What was said before an answer broke off.

The SDK keeps an unfinished message when its stream is cancelled, and drops it when the
model fails. The visitor has read it all the same: so it is finished as it stands.
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


async def kept(events: AsyncIterator[ThreadStreamEvent]) -> AsyncIterator[ThreadStreamEvent]:
    """`events`; when they fail, the message that was under way is done before the error goes on."""
    message: AssistantMessageItem | None = None
    try:
        async for event in events:
            match event:
                case ThreadItemAddedEvent(item=AssistantMessageItem() as item):
                    message = item.model_copy(deep=True)
                case ThreadItemUpdatedEvent() if message and event.item_id == message.id:
                    _write(message, event)
                case ThreadItemDoneEvent() if message and event.item.id == message.id:
                    message = None
                case ThreadItemRemovedEvent() if message and event.item_id == message.id:
                    message = None
            yield event
    except Exception:
        if message is not None and any(part.text.strip() for part in message.content):
            yield ThreadItemDoneEvent(item=message)
        raise


def _write(message: AssistantMessageItem, event: ThreadItemUpdatedEvent) -> None:
    match event.update:
        case AssistantMessageContentPartAdded() as part:
            _reach(message, part.content_index)
            message.content[part.content_index] = part.content.model_copy(deep=True)
        case AssistantMessageContentPartTextDelta() as part:
            _reach(message, part.content_index)
            message.content[part.content_index].text += part.delta
        case AssistantMessageContentPartAnnotationAdded() as part:
            _reach(message, part.content_index)
            annotations = message.content[part.content_index].annotations
            annotations.insert(part.annotation_index, part.annotation)


def _reach(message: AssistantMessageItem, index: int) -> None:
    while len(message.content) <= index:
        message.content.append(AssistantMessageContent(text="", annotations=[]))
