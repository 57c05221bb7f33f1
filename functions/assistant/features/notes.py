"""Notes: streamed word by word onto a card, stored, and mentioned with @."""

import asyncio
import re
from collections.abc import AsyncGenerator
from pathlib import Path
from secrets import token_hex
from typing import Annotated

from chatkit.types import ClientEffectEvent
from chatkit.widgets import WidgetRoot
from pydantic import BaseModel, Field, StringConstraints

from ...toolkit import Document, Documents, Entity, Turn, Widget, entity_source, tool

MAX_NOTES = 20
"""Older notes are deleted."""

WRITING_PACE = 0.02
"""Seconds between two words of a note, so that it can be read as it is written."""

CARD = Widget(Path(__file__).parents[1] / "widgets" / "note.widget")


class Note(BaseModel):
    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")] = Field(
        default_factory=lambda: token_hex(6)
    )
    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    text: Annotated[str, StringConstraints(max_length=4_000)] = ""


NOTES = Document[list[Note]]("notes", list[Note], empty=list)


async def growing_card(note: Note) -> AsyncGenerator[WidgetRoot, None]:
    """The card of a note, one version for each word. The last one is not marked as streaming."""
    written = ""
    for word in ["", *re.findall(r"\S+\s*", note.text)]:
        written += word
        yield CARD.build(id=note.id, title=note.title, text=written, streaming=True)
        await asyncio.sleep(WRITING_PACE)
    yield CARD.build(id=note.id, title=note.title, text=note.text, streaming=False)


@tool
async def write_note(turn: Turn, title: str, text: str) -> str:
    """Writes a note for the visitor onto a card and keeps it. Notes can be mentioned with @.

    Args:
        title: At most 120 characters.
        text: Markdown, at most 4,000 characters.
    """
    note = Note(title=title[:120], text=text[:4000])
    await turn.stream_widget(growing_card(note))
    await turn.documents.change(NOTES, lambda known: [*known, note][-MAX_NOTES:])
    await turn.stream(ClientEffectEvent(name="note_saved", data={"title": note.title}))
    return "The note is on the page, and kept."


@entity_source
async def notes_to_mention(documents: Documents) -> list[Entity]:
    return [
        Entity(
            id=f"note_{note.id}",
            title=note.title,
            group="Notes",
            data={"type": "note", "text": note.text[:500]},
        )
        for note in await documents.read(NOTES)
    ]
