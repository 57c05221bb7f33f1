"""Notes."""

import itertools

import pytest
from chatkit.server import diff_widget
from chatkit.types import WidgetStreamingTextValueDelta

from functions.assistant.features import notes
from functions.assistant.features.notes import MAX_NOTES, NOTES, Note, growing_card
from tests.support.widgets import HOSTILE, texts, unknown_to_chatkit


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(notes, "WRITING_PACE", 0)


async def test_a_note_grows_word_by_word_and_sends_only_the_additions():
    cards = [card async for card in growing_card(Note(title="Letter", text="Dear Ada, hello."))]
    updates = [update for a, b in itertools.pairwise(cards) for update in diff_widget(a, b)]
    deltas = [u.delta for u in updates if isinstance(u, WidgetStreamingTextValueDelta)]
    assert [delta for delta in deltas if delta] == ["Dear ", "Ada, ", "hello."]
    assert "Dear Ada, hello." in texts(cards[-1])


async def test_a_note_is_stored_and_the_page_gets_an_effect(chat, use):
    said = await use("write_note", title="Rivers", text="about water")
    assert [note.title for note in await chat.read(NOTES)] == ["Rivers"]
    assert "about water" in texts(said.widget.widget)
    assert said.effects == {"note_saved": {"title": "Rivers"}}
    (entity,) = await chat.entities("riv")
    assert (entity.title, entity.data["text"]) == ("Rivers", "about water")


async def test_only_the_newest_notes_are_stored_and_they_fit_into_a_row(chat, use):
    long = Note(title="🎈" * 120, text="🎈" * 4000)
    await chat.documents.change(NOTES, lambda _: [long] * MAX_NOTES)
    await use("write_note", title="new", text="🎈" * 5000)
    stored = await chat.read(NOTES)
    assert (len(stored), stored[-1].title) == (MAX_NOTES, "new")


async def test_the_card_has_only_components_that_chatkit_knows():
    cards = [card async for card in growing_card(Note(title=HOSTILE, text=HOSTILE))]
    assert not unknown_to_chatkit(cards[-1])
    assert HOSTILE in texts(cards[-1])
