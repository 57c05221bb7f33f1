"""The line in a conversation that says which agent speaks from here on.

A message of ChatKit's has no author. So the line is an item of its own, which every page shows: a
task (`chatkit.types.TaskItem`).
"""

from datetime import datetime
from typing import TypeGuard

from chatkit.types import CustomTask, TaskItem, ThreadItem

from .turn import Turn

_MARK = "_speaker"
"""Ends the id of a line. An item has no other place that the page does not show."""


def speaker_line(turn: Turn, text: str) -> TaskItem:
    return TaskItem(
        id=turn.generate_id("task") + _MARK,
        thread_id=turn.thread.id,
        created_at=datetime.now(),  # noqa: DTZ005 - naive, as the SDK's own items are
        task=CustomTask(title=text, icon="agent"),
    )


def is_speaker_line(item: ThreadItem) -> TypeGuard[TaskItem]:
    return isinstance(item, TaskItem) and item.id.endswith(_MARK)


def speaker_of(history: list[ThreadItem]) -> str | None:
    """The text of the newest line; None when only one agent has spoken."""
    lines = [item.task.title for item in history if is_speaker_line(item)]
    return lines[-1] if lines else None
