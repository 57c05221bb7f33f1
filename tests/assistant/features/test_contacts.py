"""Contacts."""

import json

import pytest

from functions.assistant.features.contacts import (
    CONTACTS,
    MAX_CONTACTS,
    Contact,
    card,
    contacts_to_mention,
    form,
    is_form,
    save_contact,
    save_form,
    show_contact_form,
)
from functions.toolkit import ActionError
from tests.support.widgets import HOSTILE, nodes, texts, unknown_to_chatkit

RIGHT = {"name": " Ada ", "email": "ada@example.com", "note": "met in Paris"}


async def test_the_tool_shows_a_form(turn):
    await show_contact_form.function(turn)
    assert is_form(turn.widgets[0])


async def test_an_invalid_form_shows_errors_and_keeps_the_typed_values(documents, redrawn):
    after = await redrawn(save_form, form(), name="  ", email="ada@localhost")
    shown = texts(after)
    assert "A name has 1 to 80 characters." in shown
    assert "Write an address such as ada@example.com." in shown
    assert "ada@localhost" in shown
    assert is_form(after)
    assert await documents.read(CONTACTS) == []


async def test_a_valid_form_becomes_a_card_and_is_stored(documents, redrawn):
    after = await redrawn(save_form, form(), **RIGHT)
    assert not is_form(after)
    (contact,) = await documents.read(CONTACTS)
    assert (contact.name, contact.email, contact.note) == ("Ada", "ada@example.com", "met in Paris")


async def test_a_form_cannot_be_sent_twice(press):
    with pytest.raises(ActionError, match="already sent"):
        await press(save_form, card(Contact(name="Ada", email="a@b.de")), **RIGHT)


async def test_a_form_that_another_tab_has_sent_is_rejected(press):
    redraw, item = await press(save_form, form(), **RIGHT)
    sent = item.model_copy(update={"widget": card(Contact(name="Bob", email="b@b.de"))})
    with pytest.raises(ActionError, match="twice"):
        await redraw(sent)


async def test_the_number_of_contacts_is_limited_and_they_fit_into_a_row(documents, records):
    for number in range(MAX_CONTACTS):
        email = f"{number:03}{'🎈' * 245}@b.de"
        await save_contact(documents, Contact(name="🎈" * 80, email=email, note="🎈" * 300))
    await save_contact(documents, Contact(name="again", email=email))
    with pytest.raises(ActionError, match="room"):
        await save_contact(documents, Contact(name="one more", email="new@b.de"))
    assert len(json.dumps(records.stored["contacts"][0], ensure_ascii=False).encode()) < 350_000


def test_form_and_card_have_only_components_that_chatkit_knows():
    wrong = form({"name": HOSTILE}, {"email": HOSTILE})
    right = card(Contact(name=HOSTILE, email="a@b.c", note=HOSTILE))
    assert not [
        unknown_to_chatkit(widget) for widget in (wrong, right) if unknown_to_chatkit(widget)
    ]
    assert HOSTILE in texts(wrong)
    assert HOSTILE in texts(right)
    assert [n["value"] for n in nodes(wrong) if n["type"] == "Caption"] == [HOSTILE]


async def test_contacts_can_be_mentioned(documents):
    await save_contact(documents, Contact(name="Ada Lovelace", email="ada@example.com"))
    (entity,) = await contacts_to_mention.list_all(documents)
    assert entity.data == {"type": "contact", "email": "ada@example.com", "note": ""}
