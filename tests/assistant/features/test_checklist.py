"""The checklist."""

import asyncio
import json

import pytest

from functions.assistant.features.checklist import (
    MAX_TASKS,
    TASKS,
    Task,
    add_tasks,
    card,
    set_done,
    show_checklist,
    tasks_to_mention,
    toggle_task,
)
from functions.toolkit import ActionError
from tests.support.widgets import HOSTILE, nodes, pressable, texts, unknown_to_chatkit


async def test_the_tool_adds_tasks_and_shows_them(turn):
    said = await show_checklist.function(turn, ["milk", "bread"])
    assert "2 tasks, 2 of them open" in said
    assert {"milk", "bread"} <= set(texts(turn.widgets[0]))


async def test_a_ticked_task_stays_ticked(documents, redrawn):
    tasks = await add_tasks(documents, ["milk"])
    after = await redrawn(toggle_task, card(tasks), id=tasks[0].id, done=True)
    (box,) = [node for node in nodes(after) if node["type"] == "Checkbox"]
    assert box["defaultChecked"]
    assert (await documents.read(TASKS))[0].done


async def test_a_task_that_is_not_on_the_list_cannot_be_ticked(documents):
    with pytest.raises(ActionError, match="not on your list"):
        await set_done(documents, "0" * 12, done=True)


async def test_parallel_ticks_are_all_applied(documents):
    tasks = await add_tasks(documents, [f"task {n}" for n in range(4)])
    await asyncio.gather(*(set_done(documents, task.id, done=True) for task in tasks))
    assert all(task.done for task in await documents.read(TASKS))


async def test_the_number_of_tasks_is_limited_and_they_fit_into_a_row(documents, records):
    await add_tasks(documents, ["🎈" * 200] * MAX_TASKS)
    assert len(json.dumps(records.stored["tasks"][0], ensure_ascii=False).encode()) < 350_000
    with pytest.raises(ActionError, match="full"):
        await add_tasks(documents, ["one more"])


def test_the_card_sends_the_new_state_and_is_redrawn_when_it_changes():
    open_task, done_task = Task(title="a"), Task(title="b", done=True)
    ticks = [each["payload"]["done"] for each in pressable(card([open_task, done_task]))]
    assert ticks == [True, False]
    keys = [nodes(card([open_task.model_copy(update={"done": d})]))[-1]["key"] for d in (0, 1)]
    assert keys[0] != keys[1]


def test_the_card_has_only_components_that_chatkit_knows():
    for widget in (card([]), card([Task(title=HOSTILE)])):
        assert not unknown_to_chatkit(widget)
    assert HOSTILE in texts(card([Task(title=HOSTILE)]))


async def test_tasks_can_be_mentioned(documents):
    await add_tasks(documents, ["milk"])
    (entity,) = await tasks_to_mention.list_all(documents)
    assert (entity.title, entity.group, entity.data["done"]) == ("milk", "Tasks", "no")
