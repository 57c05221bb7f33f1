"""Contacts."""

import asyncio

import pytest

from functions.assistant.features.contacts import (
    CONTACTS,
    MAX_CONTACTS,
    Contact,
    card,
    form,
    is_form,
    save_contact,
)
from functions.toolkit import ActionError
from functions.toolkit.testing import Refused
from tests.support.widgets import HOSTILE, nodes, texts, unknown_to_chatkit

SAVE = "contact.save"
RIGHT = {"name": " Ada ", "email": "ada@example.com", "note": "met in Paris"}


@pytest.fixture
async def shown(use):
    """The card with the form."""
    return (await use("show_contact_form")).widget


async def test_an_invalid_form_shows_errors_and_keeps_the_typed_values(chat, shown):
    after = await chat.press(shown, SAVE, {"name": "  ", "email": "ada@localhost"})
    told = texts(after.widget.widget)
    assert "A name has 1 to 80 characters." in told
    assert "Write an address such as ada@example.com." in told
    assert "ada@localhost" in told
    assert is_form(after.widget.widget)
    assert await chat.read(CONTACTS) == []


async def test_a_valid_form_becomes_a_card_is_stored_and_cannot_be_sent_twice(chat, shown):
    after = await chat.press(shown, SAVE, RIGHT)
    assert not is_form(after.widget.widget)
    (contact,) = await chat.read(CONTACTS)
    assert (contact.name, contact.email, contact.note) == ("Ada", "ada@example.com", "met in Paris")
    with pytest.raises(Refused, match="already sent"):
        await chat.press(shown, SAVE, RIGHT)


async def test_a_form_that_another_tab_sends_at_the_same_time_is_rejected(chat, shown):
    other = {"name": "Bob", "email": "b@b.de"}
    done = await asyncio.gather(
        *(chat.press(shown, SAVE, typed) for typed in (RIGHT, other)), return_exceptions=True
    )
    (refused,) = [outcome for outcome in done if isinstance(outcome, Refused)]
    assert refused.status == 409


async def test_the_number_of_contacts_is_limited_and_they_fit_into_a_row(chat):
    email = f"{'🎈' * 245}@b.de"
    long = Contact(name="🎈" * 80, email=email, note="🎈" * 300)
    others = [long.model_copy(update={"email": f"{n:03}{email}"}) for n in range(1, MAX_CONTACTS)]
    await chat.documents.change(CONTACTS, lambda _: [long, *others])
    await save_contact(chat.documents, Contact(name="again", email=email))
    with pytest.raises(ActionError, match="room"):
        await save_contact(chat.documents, Contact(name="one more", email="new@b.de"))


def test_form_and_card_have_only_components_that_chatkit_knows():
    wrong = form({"name": HOSTILE}, {"email": HOSTILE})
    right = card(Contact(name=HOSTILE, email="a@b.c", note=HOSTILE))
    assert not [
        unknown_to_chatkit(widget) for widget in (wrong, right) if unknown_to_chatkit(widget)
    ]
    assert HOSTILE in texts(wrong)
    assert HOSTILE in texts(right)
    assert [n["value"] for n in nodes(wrong) if n["type"] == "Caption"] == [HOSTILE]


async def test_contacts_can_be_mentioned(chat):
    await save_contact(chat.documents, Contact(name="Ada Lovelace", email="ada@example.com"))
    (entity,) = await chat.entities()
    assert entity.data == {"type": "contact", "email": "ada@example.com", "note": ""}
