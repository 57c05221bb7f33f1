"""What the assistant keeps of a person, when several tabs change it at once."""

import asyncio
import json

import pytest

from functions.assistant import data as data_module
from functions.assistant.models import (
    MAX_CHOICES,
    MAX_CONTACTS,
    MAX_NOTES,
    MAX_TASKS,
    Choice,
    Contact,
    Note,
    Option,
)
from functions.context import RequestContext
from functions.errors import ActionError
from functions.store import Conflict
from functions.store.records import MAX_BYTES
from functions.toolkit.documents import AssistantData
from functions.toolkit.entities import search_entities


class Documents:
    """Documents with versions, which let others in between a read and a write."""

    def __init__(self):
        self.kept = {}

    async def get(self, kind, context):
        found = self.kept.get((kind, context.user_id), (None, 0))
        await asyncio.sleep(0)
        return found

    async def put(self, kind, value, context, *, version):
        await asyncio.sleep(0)
        if self.kept.get((kind, context.user_id), (None, 0))[1] != version:
            raise Conflict(kind)
        self.kept[kind, context.user_id] = (value, version + 1)
        return version + 1


@pytest.fixture
def documents():
    return Documents()


@pytest.fixture
def ada(documents):
    return AssistantData(documents, RequestContext(user_id="ada"))


def contact(number):
    return Contact(name=f"Person {number}", email=f"{number}@example.com")


async def test_changes_at_once_are_all_applied(ada):
    await asyncio.gather(*(ada.add_tasks([f"task {n}"]) for n in range(4)))
    tasks = await ada.tasks()
    assert {task.title for task in tasks} == {f"task {n}" for n in range(4)}
    await asyncio.gather(*(ada.set_done(task.id, done=True) for task in tasks))
    assert all(task.done for task in await ada.tasks())


async def test_a_document_that_never_stands_still_is_given_up(ada, documents, monkeypatch):
    async def refuse(*_, **__):
        raise Conflict("tasks")

    monkeypatch.setattr(documents, "put", refuse)
    monkeypatch.setattr(data_module.random, "uniform", lambda *_: 0)
    with pytest.raises(ActionError) as told:
        await ada.add_tasks(["x"])
    assert told.value.status == 409


async def test_what_is_the_same_is_not_written_again(ada, documents):
    (task,) = await ada.add_tasks(["milk"])
    before = dict(documents.kept)
    await ada.set_done(task.id, done=False)
    assert documents.kept == before


async def test_nobody_sees_anothers(ada, documents):
    await ada.add_tasks(["milk"])
    bob = AssistantData(documents, RequestContext(user_id="bob"))
    assert await bob.tasks() == []
    with pytest.raises(ActionError) as told:
        await bob.set_done((await ada.tasks())[0].id, done=True)
    assert told.value.status == 404


async def test_lists_have_an_end(ada):
    await ada.add_tasks(["t"] * MAX_TASKS)
    with pytest.raises(ActionError, match="full"):
        await ada.add_tasks(["one more"])
    for number in range(MAX_CONTACTS):
        await ada.save_contact(contact(number))
    await ada.save_contact(contact(0))
    with pytest.raises(ActionError, match="room"):
        await ada.save_contact(contact("new"))
    assert len(await ada.contacts()) == MAX_CONTACTS


async def test_the_newest_choices_and_notes_are_kept(ada):
    for number in range(MAX_CHOICES + 1):
        choice = Choice(question=f"q{number}", options=[Option(title="a")])
        await ada.offer(choice)
        await ada.save_note(Note(title=f"n{number}"))
    assert len(await ada.notes()) == MAX_NOTES
    assert (await ada.choice(choice.id)).question == f"q{MAX_CHOICES}"


async def test_one_of_two_picks_counts_and_the_same_pick_twice_is_fine(ada):
    choice = Choice(question="q", options=[Option(title="a"), Option(title="b")])
    await ada.offer(choice)
    first, second = (option.id for option in choice.options)
    done = await asyncio.gather(
        ada.pick(choice.id, first), ada.pick(choice.id, second), return_exceptions=True
    )
    (told,) = [outcome for outcome in done if isinstance(outcome, ActionError)]
    assert told.status == 409
    chosen = (await ada.choice(choice.id)).chosen
    assert (await ada.pick(choice.id, chosen)).chosen == chosen


@pytest.mark.parametrize(("choice", "option"), [("0" * 12, None), (None, "0" * 12)])
async def test_what_was_never_offered_cannot_be_picked(ada, choice, option):
    offered = Choice(question="q", options=[Option(title="a")])
    await ada.offer(offered)
    with pytest.raises(ActionError) as told:
        await ada.pick(choice or offered.id, option or offered.options[0].id)
    assert told.value.status == 404


async def test_the_largest_documents_fit_into_a_row(ada, documents):
    widest = "🎈"
    await ada.add_tasks([widest * 200] * MAX_TASKS)
    for number in range(MAX_CONTACTS):
        email = f"{number:03}{widest * 245}@b.de"
        await ada.save_contact(Contact(name=widest * 80, email=email, note=widest * 300))
    for _ in range(MAX_NOTES):
        options = [Option(title=widest * 80, description=widest * 120)] * 10
        await ada.offer(Choice(question=widest * 200, options=options))
        await ada.save_note(Note(title=widest * 120, text=widest * 4_000))
    for (kind, _), (value, _) in documents.kept.items():
        size = len(json.dumps(value, ensure_ascii=False).encode())
        assert size <= MAX_BYTES, (kind, size)


async def test_contacts_tasks_and_notes_can_be_mentioned(ada):
    await ada.save_contact(Contact(name="Ada Lovelace", email="ada@example.com"))
    await ada.add_tasks(["Write to ADA"])
    await ada.save_note(Note(title="Rivers", text="about water"))
    found = await search_entities("ada", ada)
    assert [entity["group"] for entity in found] == ["Contacts", "Tasks"]
    assert found[0]["data"] == {"type": "contact", "email": "ada@example.com", "note": ""}
    everything = await search_entities(" ", ada)
    assert [entity["title"] for entity in everything] == ["Ada Lovelace", "Write to ADA", "Rivers"]
    assert all(isinstance(v, str) for entity in everything for v in entity["data"].values())
    assert await search_entities("zebra", ada) == []
