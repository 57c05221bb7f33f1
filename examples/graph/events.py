"""ChatKit's events of what a graph streams with `stream_mode=["tasks", "custom"]`.

The nodes that run are shown as tasks of a workflow, and the words that they write as messages.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    CustomTask,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
)

from functions.toolkit import Turn


async def chatkit_events(
    turn: Turn, parts: AsyncIterator[tuple[str, Any]]
) -> AsyncIterator[ThreadStreamEvent]:
    steps = Steps(turn)
    message, text = None, ""
    async for kind, part in parts:
        if kind == "custom":  # words of a model
            if message is None:
                await steps.end()
                message, text = _message(turn), ""
                yield ThreadItemAddedEvent(item=message)
            text += part
            delta = AssistantMessageContentPartTextDelta(content_index=0, delta=part)
            yield ThreadItemUpdatedEvent(item_id=message.id, update=delta)
            continue
        if message is not None:
            content = [AssistantMessageContent(text=text)]
            yield ThreadItemDoneEvent(item=message.model_copy(update={"content": content}))
            message = None
        if "input" in part:
            await steps.begin(part["id"], part["name"], part["input"])
        else:
            await steps.finish(part["id"], part["result"])


class Steps:
    """Shows the nodes that run as tasks of one workflow, until `end`."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._running: dict[str, tuple[int, CustomTask]] = {}
        self._count = 0

    async def begin(self, key: str, node: str, given: Any) -> None:
        match node:
            case "plan":
                task = CustomTask(title="Reading the question", icon="search")
            case "look_up":
                task = CustomTask(title=f"Looking up “{given['words']}”", icon="book-open")
            case _:
                return
        task.status_indicator = "loading"
        self._running[key] = self._count, task
        self._count += 1
        await self._turn.add_workflow_task(task)

    async def finish(self, key: str, result: dict[str, Any] | None = None) -> None:
        if key in self._running:
            index, task = self._running.pop(key)
            task = task.model_copy(update={"status_indicator": "complete"})
            if result and "found" in result:
                task.content = ", ".join(result["found"]) or "Nothing found"
            await self._turn.update_workflow_task(task, index)

    async def end(self) -> None:
        for key in [*self._running]:
            await self.finish(key)
        await self._turn.end_workflow()
        self._count = 0


def _message(turn: Turn) -> AssistantMessageItem:
    return AssistantMessageItem(
        id=turn.generate_id("message"),
        thread_id=turn.thread.id,
        created_at=datetime.now(),  # noqa: DTZ005 - naive, as ChatKit's own items are
        content=[AssistantMessageContent(text="")],
    )
