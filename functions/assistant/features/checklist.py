"""A checklist: tasks that the model adds and the visitor ticks off on a card."""

from pathlib import Path
from secrets import token_hex
from typing import Annotated

from chatkit.types import WidgetItem
from chatkit.widgets import WidgetRoot
from pydantic import BaseModel, Field, StringConstraints

from ...toolkit import (
    ActionError,
    ActionRun,
    Document,
    Documents,
    Entity,
    Redraw,
    Turn,
    Widget,
    action,
    entity_source,
    tool,
)

MAX_TASKS = 200
"""So many titles stay under DynamoDB's 400 KB, even when every character takes four bytes."""

CARD = Widget(Path(__file__).parents[1] / "widgets" / "checklist.widget")

TaskId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]


class Task(BaseModel):
    id: TaskId = Field(default_factory=lambda: token_hex(6))
    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    done: bool = False


TASKS = Document[list[Task]]("tasks", list[Task], empty=list)


def card(tasks: list[Task]) -> WidgetRoot:
    return CARD.build(tasks=tasks, left=sum(not task.done for task in tasks))


async def add_tasks(documents: Documents, titles: list[str]) -> list[Task]:
    """Add a task for each title. Returns all tasks; raises `ActionError` when the list is full."""

    def add(tasks: list[Task]) -> list[Task]:
        if len(tasks) + len(titles) > MAX_TASKS:
            raise ActionError(409, f"The list is full: it holds {MAX_TASKS} tasks.")
        return [*tasks, *(Task(title=title) for title in titles)]

    return await documents.change(TASKS, add)


async def set_done(documents: Documents, task_id: str, *, done: bool) -> list[Task]:
    """Set whether a task is done. Returns all tasks; raises `ActionError` for an unknown task."""

    def tick(tasks: list[Task]) -> list[Task]:
        if all(task.id != task_id for task in tasks):
            raise ActionError(404, "That task is not on your list.")
        return [
            task.model_copy(update={"done": done}) if task.id == task_id else task for task in tasks
        ]

    return await documents.change(TASKS, tick)


@tool
async def show_checklist(turn: Turn, add: list[str]) -> str:
    """Shows the visitor's checklist, where tasks are ticked off. Adds tasks to it first.

    Args:
        add: Titles of tasks to add; empty to show the list as it is.
    """
    documents = turn.documents
    tasks = await add_tasks(documents, add) if add else await documents.read(TASKS)
    if not tasks:
        tasks = await add_tasks(documents, ["Say hello", "Tick this off", "Reload: still ticked"])
    left = sum(not task.done for task in tasks)
    await turn.stream_widget(card(tasks), copy_text="\n".join(task.title for task in tasks))
    return f"The checklist is on the page: {len(tasks)} tasks, {left} of them open."


class Tick(BaseModel):
    """`done` is the new state and not a toggle, so pressing twice at the same time has the effect
    of pressing once.
    """

    id: TaskId
    done: bool


@action("task.toggle", payload=Tick, sync=True)
async def toggle_task(run: ActionRun, tick: Tick) -> Redraw:
    run.check_offered("task.toggle")
    await set_done(run.documents, tick.id, done=tick.done)

    async def redraw(_: WidgetItem) -> WidgetRoot:
        return card(await run.documents.read(TASKS))

    return redraw


@entity_source
async def tasks_to_mention(documents: Documents) -> list[Entity]:
    return [
        Entity(
            id=f"task_{task.id}",
            title=task.title,
            group="Tasks",
            icon="check",
            data={"type": "task", "done": "yes" if task.done else "no"},
        )
        for task in await documents.read(TASKS)
    ]
