"""What is stored of an answer that was cancelled."""

from datetime import datetime
from typing import Any, Final

from chatkit.store import Store
from chatkit.types import (
    AssistantMessageItem,
    DurationSummary,
    SDKHiddenContextItem,
    ThreadItem,
    ThreadMetadata,
    WorkflowItem,
)

CANCELLED: Final = "The user cancelled the stream. Stop responding to the prior request."
"""The SDK's own words."""


async def keep_cancelled(
    store: Store[Any],
    thread: ThreadMetadata,
    pending_items: list[ThreadItem],
    context: Any,
    note: str = CANCELLED,
) -> None:
    """Store what there is of an answer, and a hidden note that tells the model why it ends there.

    Messages are stored when they have text, and workflows as ended. Without the note, a model may
    go on with the cancelled answer.
    """
    for item in pending_items:
        if isinstance(item, WorkflowItem):
            end(item)
        elif not isinstance(item, AssistantMessageItem) or not has_text(item):
            continue
        await store.add_thread_item(thread.id, item, context)
    await store.add_thread_item(
        thread.id,
        SDKHiddenContextItem(
            id=store.generate_item_id("sdk_hidden_context", thread, context),
            thread_id=thread.id,
            created_at=datetime.now(),  # noqa: DTZ005 - naive, as the SDK's own items are
            content=note,
        ),
        context,
    )


def has_text(message: AssistantMessageItem) -> bool:
    return any(part.text.strip() for part in message.content)


def end(item: WorkflowItem) -> None:
    """End a workflow in place, as the SDK ends one. Nothing in it goes on."""
    if item.workflow.summary is None:
        lasted = datetime.now(item.created_at.tzinfo) - item.created_at
        item.workflow.summary = DurationSummary(duration=int(lasted.total_seconds()))
    item.workflow.expanded = False
    for task in item.workflow.tasks:
        if task.status_indicator == "loading":
            task.status_indicator = "none"
