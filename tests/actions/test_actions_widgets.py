"""Widget actions over HTTP: what is pressed is done, kept and seen again after a reload."""

import asyncio
import json

import pytest
from chatkit.types import AssistantMessageItem, ClosedStatus, LockedStatus

from functions.assistant import widgets
from functions.assistant.models import Choice, Option
from tests.support.person import request


def events(response):
    assert response.headers["content-type"].startswith("text/event-stream")
    return [json.loads(line[6:]) for line in response.text.splitlines() if line]


async def checklist(person, *titles):
    tasks = await person.data.add_tasks(list(titles or ["milk", "bread"]))
    return tasks, await person.shown(await person.thread(), widgets.checklist(tasks))


def ticks(widget):
    """The boxes of a checklist, by label."""
    found = json.loads(widget if isinstance(widget, str) else widget.model_dump_json())
    boxes = [node for node in found["children"] if node["type"] == "Checkbox"]
    return {box["label"]: box["defaultChecked"] for box in boxes}


async def test_a_ticked_item_is_ticked_on_the_page_in_the_data_and_after_a_reload(ada):
    tasks, item = await checklist(ada)
    response = await ada.press(item, "task.toggle", {"id": tasks[0].id, "done": True})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    updated = response.json()["updated_item"]
    assert updated["id"] == item.id
    assert ticks(json.dumps(updated["widget"])) == {"milk": True, "bread": False}
    assert ticks((await ada.stored(item)).widget) == {"milk": True, "bread": False}
    assert [task.done for task in await ada.data.tasks()] == [True, False]


async def test_a_sync_action_sent_as_a_streaming_one_answers_with_an_event_stream(ada):
    tasks, item = await checklist(ada)
    response = await ada.press(item, "task.toggle", {"id": tasks[1].id, "done": True}, sync=False)
    options, update = events(response)
    assert options["type"] == "stream_options"
    assert update["update"]["type"] == "widget.root.updated"
    assert ticks((await ada.stored(item)).widget) == {"milk": False, "bread": True}


async def test_two_tabs_that_press_at_once_are_both_applied(ada):
    titles = [f"task {n}" for n in range(6)]
    tasks, item = await checklist(ada, *titles)
    responses = await asyncio.gather(
        *(ada.press(item, "task.toggle", {"id": task.id, "done": True}) for task in tasks)
    )
    applied = [
        task.title
        for task, response in zip(tasks, responses, strict=True)
        if response.status_code == 200
    ]
    told = [response for response in responses if response.status_code != 200]
    assert all(response.status_code == 409 for response in told)
    assert len(applied) >= 2
    done = {task.title for task in await ada.data.tasks() if task.done}
    assert done >= set(applied)
    assert {
        title for title, ticked in ticks((await ada.stored(item)).widget).items() if ticked
    } == (done)


async def test_a_form_is_kept_only_when_it_is_right(ada):
    item = await ada.shown(await ada.thread(), widgets.contact_form())
    wrong = await ada.press(item, "contact.save", {"name": "  ", "email": "ada@localhost"})
    assert wrong.status_code == 200
    shown = json.dumps(wrong.json())
    assert "A name has 1 to 80 characters." in shown
    assert "Write an address such as ada@example.com." in shown
    assert "ada@localhost" in shown
    assert await ada.data.contacts() == []
    assert widgets.is_contact_form((await ada.stored(item)).widget)

    right = await ada.press(
        item, "contact.save", {"name": " Ada ", "email": "ada@example.com", "note": "met in Paris"}
    )
    assert right.json()["updated_item"]["widget"]["status"]["text"] == "Saved"
    (contact,) = await ada.data.contacts()
    assert (contact.name, contact.email, contact.note) == ("Ada", "ada@example.com", "met in Paris")
    assert not widgets.is_contact_form((await ada.stored(item)).widget)

    again = await ada.press(item, "contact.save", {"name": "Bob", "email": "bob@example.com"})
    assert again.status_code == 409
    assert len(await ada.data.contacts()) == 1


async def test_one_form_sent_from_two_tabs_at_once_tells_the_second(ada):
    item = await ada.shown(await ada.thread(), widgets.contact_form())
    responses = await asyncio.gather(
        *(
            ada.press(item, "contact.save", {"name": name, "email": f"{name}@example.com"})
            for name in ("ada", "bob")
        )
    )
    assert sorted(response.status_code for response in responses) == [200, 409]


async def test_what_the_page_did_itself_is_remembered(ada):
    item = await ada.shown(await ada.thread(), widgets.appearance("system"))
    response = await ada.press(item, "theme.applied", {"scheme": "dark"}, sync=False)
    assert response.status_code == 200
    assert (await ada.data.preferences()).scheme == "dark"
    stored = (await ada.stored(item)).widget
    assert stored.model_dump_json() == widgets.appearance("dark").model_dump_json()


@pytest.mark.parametrize("status", [LockedStatus(), ClosedStatus(reason="done")])
async def test_a_thread_that_is_not_open_takes_no_action(ada, status):
    tasks = await ada.data.add_tasks(["milk"])
    item = await ada.shown(await ada.thread(status), widgets.checklist(tasks))
    await refused(ada, item, 409, status.type)


async def test_somebody_elses_widget_is_not_there(ada, people):
    tasks, item = await checklist(ada)
    response = await people().press(item, "task.toggle", {"id": tasks[0].id, "done": True})
    assert response.status_code == 404
    assert response.json()["message"]
    assert not any(task.done for task in await ada.data.tasks())


async def test_a_widget_of_another_thread_is_not_there(ada):
    tasks, item = await checklist(ada)
    other = await ada.thread()
    body = request(item, "task.toggle", {"id": tasks[0].id, "done": True}, thread_id=other.id)
    assert (await ada.post("/actions", body)).status_code == 404
    assert not any(task.done for task in await ada.data.tasks())


async def test_an_item_that_is_no_widget_has_no_actions(ada):
    thread = await ada.thread()
    item = AssistantMessageItem(
        id="msg_1", thread_id=thread.id, created_at=thread.created_at, content=[]
    )
    await ada.store.add_thread_item(thread.id, item, ada.context)
    await refused(ada, item, 422, "widget")


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        (None, 422),
        ({}, 422),
        ([], 422),
        ("x", 422),
        ({"id": "0" * 12}, 422),
        ({"id": "../../etc", "done": True}, 422),
        ({"id": 5, "done": "perhaps"}, 422),
        ({"id": "0" * 12, "done": True}, 404),
    ],
)
async def test_a_payload_that_does_not_fit_changes_nothing(ada, payload, status):
    _, item = await checklist(ada)
    before = await ada.stored(item)
    for sync in (True, False):
        response = await ada.press(item, "task.toggle", payload, sync=sync)
        assert response.status_code == status
        assert response.json()["message"]
    assert await ada.stored(item) == before
    assert not any(task.done for task in await ada.data.tasks())


@pytest.mark.parametrize("sync", [True, False])
async def test_an_action_that_nobody_registered_is_refused_by_name(ada, sync):
    _, item = await checklist(ada)
    response = await ada.press(item, "task.explode", {}, sync=sync)
    assert response.status_code == 404
    assert "task.explode" in response.json()["message"]


async def test_a_sync_action_needs_the_widget_that_it_came_from(ada):
    thread = await ada.thread()
    body = {
        "type": "threads.custom_action",
        "params": {
            "thread_id": thread.id,
            "action": {"type": "theme.applied", "payload": {"scheme": "dark"}},
        },
    }
    assert (await ada.post("/actions", body)).status_code == 422


async def refused(person, item, status, word):
    before = await person.stored(item)
    tasks = await person.data.tasks()
    task = tasks[0].id if tasks else "0" * 12
    for sync in (True, False):
        response = await person.press(item, "task.toggle", {"id": task, "done": True}, sync=sync)
        assert response.status_code == status
        assert word in response.json()["message"]
    assert await person.stored(item) == before
    assert await person.data.tasks() == tasks


async def offered(person):
    choice = Choice(question="Where to?", options=[Option(title="Rome"), Option(title="Oslo")])
    await person.data.offer(choice)
    return choice, await person.shown(await person.thread(), widgets.choices(choice))


async def test_an_action_that_makes_the_assistant_answer_is_sent_on_and_not_run(ada):
    choice, item = await offered(ada)
    before = await ada.stored(item)
    payload = {"choice": choice.id, "option": choice.options[0].id}
    response = await ada.press(item, "choice.pick", payload, sync=False)
    assert response.status_code == 307
    assert response.headers["location"] == "/chatkit"
    assert (await ada.data.choice(choice.id)).chosen is None
    assert await ada.stored(item) == before


async def test_an_action_that_makes_the_assistant_answer_cannot_be_asked_for_at_once(ada):
    choice, item = await offered(ada)
    payload = {"choice": choice.id, "option": choice.options[0].id}
    response = await ada.press(item, "choice.pick", payload, sync=True)
    assert response.status_code == 422
    assert (await ada.data.choice(choice.id)).chosen is None


async def test_other_operations_are_told_where_they_belong(ada):
    thread = await ada.thread()
    for operation in (
        {"type": "threads.get_by_id", "params": {"thread_id": thread.id}},
        {"type": "threads.list", "params": {}},
        {"type": "threads.delete", "params": {"thread_id": thread.id}},
    ):
        response = await ada.post("/actions", operation)
        assert response.status_code == 400
        assert "/chatkit" in response.json()["message"]
    assert await ada.store.load_thread(thread.id, ada.context)


async def test_a_card_cannot_be_pressed_for_what_another_card_offers(ada):
    _, item = await checklist(ada)
    response = await ada.press(item, "theme.applied", {"scheme": "dark"})
    assert response.status_code == 409
    assert (await ada.stored(item)).widget == item.widget
    assert (await ada.data.preferences()).scheme == "system"
