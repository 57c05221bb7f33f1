"""Tools that show a widget. Yours to edit: the widgets are in `functions/assistant/widgets`.

What the visitor then does with one is in `functions/assistant/actions.py`.
"""

import asyncio
import re
from collections.abc import AsyncIterator

from agents import FunctionTool
from chatkit.types import ClientEffectEvent

from ..toolkit.tools import Turn, tool
from . import widgets
from .models import Choice, Note, Option

WRITING_PACE = 0.02
"""Seconds between two words of a note: it is read while it is written."""


@tool
async def show_checklist(turn: Turn, add: list[str]) -> str:
    """Shows the visitor's checklist, where tasks are ticked off. Adds tasks to it first.

    Args:
        add: Titles of tasks to add; empty to show the list as it is.
    """
    data = turn.context.data
    tasks = await data.add_tasks(add) if add else await data.tasks()
    if not tasks:
        tasks = await data.add_tasks(["Say hello", "Tick this off", "Reload: still ticked"])
    left = sum(not task.done for task in tasks)
    await turn.context.stream_widget(
        widgets.checklist(tasks), copy_text="\n".join(task.title for task in tasks)
    )
    return f"The checklist is on the page: {len(tasks)} tasks, {left} of them open."


@tool
async def show_contact_form(turn: Turn) -> str:
    """Shows a form in which the visitor writes down a contact: name, email, note."""
    await turn.context.stream_widget(widgets.contact_form())
    return "The form is on the page. What is entered there is kept by itself."


@tool
async def offer_choices(turn: Turn, question: str, options: list[str]) -> str:
    """Offers the visitor a choice in a list; you go on when one was picked.

    Args:
        question: What is to be chosen, at most 200 characters.
        options: From two to eight short titles.
    """
    choice = Choice(
        question=question[:200], options=[Option(title=title[:80]) for title in options[:8]]
    )
    await turn.context.data.offer(choice)
    await turn.context.stream_widget(widgets.choices(choice))
    return "The choice is on the page. Wait for it."


@tool
async def show_appearance(turn: Turn) -> str:
    """Shows a card with which the visitor chooses between the light and the dark look."""
    scheme = (await turn.context.data.preferences()).scheme
    await turn.context.stream_widget(widgets.appearance(scheme))
    return "The card is on the page."


@tool
async def write_note(turn: Turn, title: str, text: str) -> str:
    """Writes a note for the visitor onto a card and keeps it. Notes can be mentioned with @.

    Args:
        title: At most 120 characters.
        text: Markdown, at most 4,000 characters.
    """
    note = Note(title=title[:120], text=text[:4000])
    await turn.context.stream_widget(widgets.streamed_note(note.title, _words(note.text)))
    await turn.context.data.save_note(note)
    await turn.context.stream(ClientEffectEvent(name="note_saved", data={"title": note.title}))
    return "The note is on the page, and kept."


async def _words(text: str) -> AsyncIterator[str]:
    for word in re.findall(r"\S+\s*", text):
        yield word
        await asyncio.sleep(WRITING_PACE)


TOOLS: list[FunctionTool] = [
    show_checklist,
    show_contact_form,
    offer_choices,
    show_appearance,
    write_note,
]

STOP_AFTER = ["offer_choices"]
