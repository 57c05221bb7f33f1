"""The checklist."""

import asyncio

import pytest

from functions.assistant.features.checklist import MAX_TASKS, TASKS, Task, add_tasks, card
from functions.toolkit import ActionError
from functions.toolkit.testing import Refused, buttons
from tests.support.widgets import HOSTILE, nodes, texts, unknown_to_chatkit


async def test_the_tool_adds_tasks_and_shows_them(use):
    said = await use("show_checklist", add=["milk", "bread"])
    assert "2 tasks, 2 of them open" in said.call.result
    assert {"milk", "bread"} <= set(texts(said.widget.widget))


async def test_a_ticked_task_stays_ticked(chat, use):
    shown = await use("show_checklist", add=["milk"])
    after = await chat.press(shown, "task.toggle")
    (box,) = [node for node in nodes(after.widget.widget) if node["type"] == "Checkbox"]
    assert box["defaultChecked"]
    assert (await chat.read(TASKS))[0].done


async def test_a_task_that_is_not_on_the_list_cannot_be_ticked(chat, use):
    shown = await use("show_checklist", add=["milk"])
    with pytest.raises(Refused, match="not on your list"):
        await chat.press(shown, "task.toggle", {"id": "0" * 12, "done": True})


async def test_parallel_ticks_are_all_applied(chat, use):
    shown = await use("show_checklist", add=[f"task {n}" for n in range(4)])
    ticks = buttons(shown.widget, "task.toggle")
    await asyncio.gather(*(chat.press(shown, "task.toggle", tick) for tick in ticks))
    assert all(task.done for task in await chat.read(TASKS))


async def test_the_number_of_tasks_is_limited_and_they_fit_into_a_row(chat):
    await add_tasks(chat.documents, ["🎈" * 200] * MAX_TASKS)
    with pytest.raises(ActionError, match="full"):
        await add_tasks(chat.documents, ["one more"])


def test_the_card_sends_the_new_state_and_is_redrawn_when_it_changes():
    open_task, done_task = Task(title="a"), Task(title="b", done=True)
    assert [tick["done"] for tick in buttons(card([open_task, done_task]))] == [True, False]
    keys = [nodes(card([open_task.model_copy(update={"done": d})]))[-1]["key"] for d in (0, 1)]
    assert keys[0] != keys[1]


def test_the_card_has_only_components_that_chatkit_knows():
    for widget in (card([]), card([Task(title=HOSTILE)])):
        assert not unknown_to_chatkit(widget)
    assert HOSTILE in texts(card([Task(title=HOSTILE)]))


async def test_tasks_can_be_mentioned(chat):
    await add_tasks(chat.documents, ["milk"])
    (entity,) = await chat.entities("mil")
    assert (entity.title, entity.group, entity.data["done"]) == ("milk", "Tasks", "no")
