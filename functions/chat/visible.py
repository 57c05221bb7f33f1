"""Tells whether a visitor sees an answer in an event.

A model may think and then say nothing. That is no answer: the visitor should be able to retry.
"""

from chatkit.types import (
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartDone,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    GeneratedImageItem,
    HiddenContextItem,
    ProgressUpdateEvent,
    SDKHiddenContextItem,
    TaskItem,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    WorkflowItem,
    WorkflowTaskAdded,
    WorkflowTaskUpdated,
)

from ..server.cancelled import has_text
from ..toolkit.speaker import is_speaker_line


def shows_answer(event: ThreadStreamEvent) -> bool:
    """Whether the event shows something that answers. Reasoning, progress and blank text do not."""
    match event:
        case ProgressUpdateEvent() | ThreadItemRemovedEvent():
            return False
        case ThreadItemAddedEvent(item=item) | ThreadItemDoneEvent(item=item):
            return _is_answer(item)
        case ThreadItemUpdatedEvent(update=AssistantMessageContentPartTextDelta(delta=delta)):
            return bool(delta.strip())
        case ThreadItemUpdatedEvent(update=update):
            return not isinstance(
                update,
                AssistantMessageContentPartAdded
                | AssistantMessageContentPartAnnotationAdded
                | AssistantMessageContentPartDone
                | WorkflowTaskAdded
                | WorkflowTaskUpdated,
            )
    return True


def _is_answer(item: ThreadItem) -> bool:
    match item:
        case AssistantMessageItem():
            return has_text(item)
        case WorkflowItem():
            return item.workflow.type != "reasoning"
        case GeneratedImageItem():
            return item.image is not None
        case TaskItem():
            return not is_speaker_line(item)
        case HiddenContextItem() | SDKHiddenContextItem():
            return False
    return True
