"""Widget actions over HTTP are run, stored, and visible after a reload."""

import asyncio
import json

import pytest
from chatkit.types import AssistantMessageItem, ClosedStatus, LockedStatus

from functions.toolkit import Approval
from tests.assistants.sample.features import items, look, signup, vote
from tests.support.person import request


def events(response):
    assert response.headers["content-type"].startswith("text/event-stream")
    return [json.loads(line[6:]) for line in response.text.splitlines() if line]


async def shown_list(person, *titles, status=None):
    """The items of a user, and a card in their thread that shows them."""
    stored = await items.add_items(person.documents, titles or ["milk", "bread"])
    return stored, await person.shown(await person.thread(status), items.card(stored))


async def stored_items(person):
    return await person.documents.read(items.ITEMS)


def ticks(widget):
    """The boxes of a checklist, by label."""
    found = json.loads(widget if isinstance(widget, str) else widget.model_dump_json())
    boxes = [node for node in found["children"] if node["type"] == "Checkbox"]
    return {box["label"]: box["defaultChecked"] for box in boxes}


async def test_a_ticked_item_stays_ticked_on_the_page_in_the_data_and_after_a_reload(ada):
    stored, item = await shown_list(ada)
    response = await ada.press(item, "item.toggle", {"id": stored[0].id, "done": True})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    updated = response.json()["updated_item"]
    assert updated["id"] == item.id
    assert ticks(json.dumps(updated["widget"])) == {"milk": True, "bread": False}
    assert ticks((await ada.stored(item)).widget) == {"milk": True, "bread": False}
    assert [task.done for task in await stored_items(ada)] == [True, False]


async def test_a_sync_action_sent_as_a_streaming_one_answers_with_an_event_stream(ada):
    stored, item = await shown_list(ada)
    response = await ada.press(item, "item.toggle", {"id": stored[1].id, "done": True}, sync=False)
    options, update = events(response)
    assert options["type"] == "stream_options"
    assert update["update"]["type"] == "widget.root.updated"
    assert ticks((await ada.stored(item)).widget) == {"milk": False, "bread": True}


async def test_actions_of_two_tabs_at_the_same_time_are_both_applied(ada):
    titles = [f"task {n}" for n in range(6)]
    stored, item = await shown_list(ada, *titles)
    responses = await asyncio.gather(
        *(ada.press(item, "item.toggle", {"id": task.id, "done": True}) for task in stored)
    )
    applied = [
        task.title
        for task, response in zip(stored, responses, strict=True)
        if response.status_code == 200
    ]
    rejected = [response for response in responses if response.status_code != 200]
    assert all(response.status_code == 409 for response in rejected)
    assert len(applied) >= 2
    done = {task.title for task in await stored_items(ada) if task.done}
    assert done >= set(applied)
    assert {
        title for title, ticked in ticks((await ada.stored(item)).widget).items() if ticked
    } == (done)


@pytest.mark.parametrize("status", [LockedStatus(), ClosedStatus(reason="done")])
async def test_a_thread_that_is_not_active_rejects_actions(ada, status):
    _, item = await shown_list(ada, status=status)
    await refused(ada, item, 409, getattr(status, "reason", None) or status.type)


async def test_a_widget_of_another_user_is_not_found(ada, people):
    stored, item = await shown_list(ada)
    response = await people().press(item, "item.toggle", {"id": stored[0].id, "done": True})
    assert response.status_code == 404
    assert response.json()["message"]
    assert not any(task.done for task in await stored_items(ada))


async def test_a_widget_of_another_thread_is_not_found(ada):
    stored, item = await shown_list(ada)
    other = await ada.thread()
    body = request(item, "item.toggle", {"id": stored[0].id, "done": True}, thread_id=other.id)
    assert (await ada.post("/actions", body)).status_code == 404
    assert not any(task.done for task in await stored_items(ada))


async def test_an_action_on_an_item_that_is_not_a_widget_is_rejected(ada):
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
async def test_an_invalid_payload_changes_nothing(ada, payload, status):
    _, item = await shown_list(ada)
    before = await ada.stored(item)
    for sync in (True, False):
        response = await ada.press(item, "item.toggle", payload, sync=sync)
        assert response.status_code == status
        assert response.json()["message"]
    assert await ada.stored(item) == before
    assert not any(task.done for task in await stored_items(ada))


@pytest.mark.parametrize("sync", [True, False])
async def test_an_unknown_action_is_rejected_with_its_name(ada, sync):
    _, item = await shown_list(ada)
    response = await ada.press(item, "item.explode", {}, sync=sync)
    assert response.status_code == 404
    assert "item.explode" in response.json()["message"]


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
    stored = await stored_items(person)
    task = stored[0].id if stored else "0" * 12
    for sync in (True, False):
        response = await person.press(item, "item.toggle", {"id": task, "done": True}, sync=sync)
        assert response.status_code == status
        assert word in response.json()["message"]
    assert await person.stored(item) == before
    assert await stored_items(person) == stored


async def offered(person):
    asked = vote.Vote(question="Where to?")
    await person.documents.change(vote.VOTE, lambda _: asked)
    return await person.shown(await person.thread(), vote.card(asked))


async def chosen(person):
    return (await person.documents.read(vote.VOTE)).chosen


async def test_an_action_that_makes_the_assistant_answer_is_redirected(ada):
    item = await offered(ada)
    before = await ada.stored(item)
    response = await ada.press(item, "vote.cast", {"option": "Rome"}, sync=False)
    assert response.status_code == 307
    assert response.headers["location"] == "/chatkit"
    assert await chosen(ada) is None
    assert await ada.stored(item) == before


async def test_an_approval_is_redirected_too(ada):
    item = await ada.shown(await ada.thread(), Approval("send_money", "{}").card())
    response = await ada.press(item, "approval.decide", {"approve": True}, sync=False)
    assert (response.status_code, response.headers["location"]) == (307, "/chatkit")


async def test_an_action_that_makes_the_assistant_answer_cannot_run_as_a_sync_action(ada):
    item = await offered(ada)
    response = await ada.press(item, "vote.cast", {"option": "Rome"}, sync=True)
    assert response.status_code == 422
    assert await chosen(ada) is None


async def test_other_operations_get_the_path_that_serves_them(ada):
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


async def test_an_action_without_a_button_on_its_card_is_rejected(ada):
    _, item = await shown_list(ada)
    response = await ada.press(item, "theme.applied", {"scheme": "dark"})
    assert response.status_code == 409
    assert (await ada.stored(item)).widget == item.widget
    assert await ada.documents.read(look.LOOK) == "system"


async def test_a_form_that_two_tabs_send_at_the_same_time_is_refused_to_the_second(ada):
    item = await ada.shown(await ada.thread(), signup.form())
    responses = await asyncio.gather(
        *(
            ada.press(item, "signup.send", {"name": name, "email": f"{name}@example.com"})
            for name in ("ada", "bob")
        )
    )
    assert sorted(response.status_code for response in responses) == [200, 409]


async def test_a_form_shows_what_is_wrong_and_keeps_what_was_typed(ada):
    item = await ada.shown(await ada.thread(), signup.form())
    wrong = await ada.press(item, "signup.send", {"name": "Ada", "email": "ada"})
    assert "That is no address." in wrong.text
    assert '"defaultValue":"Ada"' in wrong.text
    right = await ada.press(item, "signup.send", {"name": "Ada", "email": "ada@example.com"})
    assert right.status_code == 200
    assert "ada@example.com" in (await ada.stored(item)).widget.model_dump_json()
