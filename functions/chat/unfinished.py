"""Finishes what the SDK leaves unfinished when an answer ends.

The SDK stores an unfinished message when its stream is cancelled, but not when the model fails.
The visitor has read that text, so it is stored as a finished message. A workflow that no message
follows stays open in the SDK, and the page would show it as running.
"""

from collections.abc import AsyncIterator

from chatkit.agents import AgentContext
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    HiddenContextItem,
    SDKHiddenContextItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    WorkflowItem,
)

from ..context import RequestContext
from ..server.cancelled import end, has_text
from ..toolkit.guardrails import GuardrailTripped


async def finish_items(
    events: AsyncIterator[ThreadStreamEvent], turn: AgentContext[RequestContext]
) -> AsyncIterator[ThreadStreamEvent]:
    """Pass `events` on, without what no page shows, and end the workflow of `turn` after them.

    When they fail, the current message and the workflow are finished before the error is raised;
    when a guardrail stops them, nothing is, because all of it will be removed.
    A workflow stays open while a tool runs on the page, because the answer goes on after it.
    """
    message: AssistantMessageItem | None = None
    try:
        async for event in _shown(events):
            match event:
                case ThreadItemAddedEvent(item=AssistantMessageItem() as item):
                    message = item.model_copy(deep=True)
                case ThreadItemUpdatedEvent() if message and event.item_id == message.id:
                    _apply(message, event)
                case ThreadItemDoneEvent() if message and event.item.id == message.id:
                    message = None
                case ThreadItemRemovedEvent() if message and event.item_id == message.id:
                    message = None
                case ThreadItemRemovedEvent(item_id=removed):
                    if turn.workflow_item and turn.workflow_item.id == removed:
                        turn.workflow_item = None
            yield event
    except GuardrailTripped:
        turn.workflow_item = None
        raise
    except Exception:
        if message is not None and has_text(message):
            yield ThreadItemDoneEvent(item=message)
        if (workflow := end_workflow(turn)) is not None:
            yield ThreadItemDoneEvent(item=workflow)
        raise
    if turn.client_tool_call is None and (workflow := end_workflow(turn)) is not None:
        yield ThreadItemDoneEvent(item=workflow)


async def _shown(events: AsyncIterator[ThreadStreamEvent]) -> AsyncIterator[ThreadStreamEvent]:
    """Remove blank messages, and keep hidden context from the page.

    The SDK keeps hidden context from the page when it is done, but not when it is added or
    replaced.
    """
    async for event in events:
        match event:
            case ThreadItemDoneEvent(item=AssistantMessageItem() as item) if not has_text(item):
                yield ThreadItemRemovedEvent(item_id=item.id)
            case ThreadItemAddedEvent(item=HiddenContextItem() | SDKHiddenContextItem()):
                pass
            case ThreadItemReplacedEvent(item=HiddenContextItem() | SDKHiddenContextItem()):
                yield ThreadItemDoneEvent(item=event.item)
            case _:
                yield event


def end_workflow(turn: AgentContext[RequestContext]) -> WorkflowItem | None:
    """End the open workflow of `turn` as the SDK ends one, and return it; None without one."""
    workflow, turn.workflow_item = turn.workflow_item, None
    if workflow is not None:
        end(workflow)
    return workflow


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
