"""ChatKit's events of what a graph streams with `stream_mode=["tasks", "custom"]`.

`tasks` says which nodes begin and end, and `custom` has the words that they write.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    CustomSummary,
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
    """Shows the nodes that run: planning as progress, and each search as a task."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._tasks: dict[str, tuple[int, CustomTask]] = {}

    async def begin(self, key: str, node: str, given: Any) -> None:
        if node == "plan":
            await self._turn.progress("Reading the question")
        elif node == "look_up":
            title = f"Looking up “{given['words']}”"
            task = CustomTask(title=title, icon="book-open", status_indicator="loading")
            self._tasks[key] = len(self._tasks), task
            await self._turn.add_workflow_task(task)

    async def finish(self, key: str, result: dict[str, Any]) -> None:
        if key in self._tasks and "found" in result:  # else it has failed
            index, task = self._tasks[key]
            found = ", ".join(result["found"]) or "Nothing found"
            done = task.model_copy(update={"status_indicator": "complete", "content": found})
            await self._turn.update_workflow_task(done, index)

    async def end(self) -> None:
        """The searches are over: close the list of them."""
        self._tasks.clear()
        await self._turn.end_workflow(CustomSummary(title="Looked it up", icon="book-open"))


def _message(turn: Turn) -> AssistantMessageItem:
    return AssistantMessageItem(
        id=turn.generate_id("message"),
        thread_id=turn.thread.id,
        created_at=datetime.now(),  # noqa: DTZ005 - naive, as ChatKit's own items are
        content=[AssistantMessageContent(text="")],
    )
