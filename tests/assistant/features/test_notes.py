"""Notes."""

import itertools
import json

import pytest
from chatkit.server import diff_widget
from chatkit.types import WidgetStreamingTextValueDelta

from functions.assistant.features import notes
from functions.assistant.features.notes import (
    MAX_NOTES,
    NOTES,
    Note,
    growing_card,
    notes_to_mention,
    write_note,
)
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


async def test_a_note_is_stored_and_the_page_gets_an_effect(turn, documents):
    await write_note.function(turn, "Rivers", "about water")
    assert [note.title for note in await documents.read(NOTES)] == ["Rivers"]
    assert turn.events[-1].name == "note_saved"
    (entity,) = await notes_to_mention.list_all(documents)
    assert (entity.title, entity.data["text"]) == ("Rivers", "about water")


async def test_only_the_newest_notes_are_stored_and_they_fit_into_a_row(turn, documents, records):
    for number in range(MAX_NOTES + 1):
        await write_note.function(turn, f"{number}" + "🎈" * 118, "🎈" * 4000)
    stored = await documents.read(NOTES)
    assert (len(stored), stored[0].title[0]) == (MAX_NOTES, "1")
    assert len(json.dumps(records.stored["notes"][0], ensure_ascii=False).encode()) < 350_000


async def test_the_card_has_only_components_that_chatkit_knows():
    cards = [card async for card in growing_card(Note(title=HOSTILE, text=HOSTILE))]
    assert not unknown_to_chatkit(cards[-1])
    assert HOSTILE in texts(cards[-1])
