"""The documents that an assistant knows: its tool, and what cites a passage.

An assistant has the tool when one of its features imports `search_knowledge`. It is offered only
where documents are indexed (`CHATKIT_KNOWLEDGE`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from chatkit.types import CustomTask, TaskItem, ThreadItem
from pydantic_core import to_json

from .tools import tool
from .turn import Turn

if TYPE_CHECKING:
    from ..knowledge.search import Found

MOST_BYTES: Final = 7_500
"""UTF-8 bytes of one search's output as JSON. With its marks it stays under the 2,000 tokens that
the next turns keep of an output, so no passage in it is cut there."""

MOST_OF_A_PLACE: Final = 300
"""Characters of where a passage stands."""

CITES: Final = "k:"
"""Begins the id of an `EntitySource` that cites a passage."""

NO_SUPPORT: Final = "This answer cites no document."

_MARK: Final = "_support"
"""Ends the id of the line under an answer without support, which no model gets."""


@dataclass(frozen=True)
class KnownPassage:
    """A passage as a model reads it. `cite` is what the model writes behind what it supports."""

    cite: str
    title: str
    place: str
    text: str


@tool(needs="knowledge")
async def search_knowledge(turn: Turn, query: str) -> list[KnownPassage] | str:
    """Searches the documents that you are to answer from, by meaning and by words.

    Right behind each statement that a passage supports, write the passage's `cite` as it is, such
    as [[k:0a1b]]. Cite nothing else. When no passage answers the question, say so.

    Args:
        query: What to look for: a question, or names, numbers and other key words.
    """
    if turn.knowledge is None:
        return "No documents are indexed here."
    await turn.progress(f"Searching the documents for “{query[:80]}”", icon="search")
    found = await turn.knowledge.search(query)
    names = list(dict.fromkeys(each.title for each in found))
    if not names:
        return "No passage was found."
    await turn.progress(f"Reading {', '.join(names)[:120]}", icon="document")
    return bounded(known(each) for each in found)


def known(found: "Found") -> KnownPassage:
    passage = found.passage
    return KnownPassage(
        cite=f"[[{CITES}{passage.id}]]",
        title=found.title[:MOST_OF_A_PLACE],
        place=place(found),
        text=passage.text,
    )


def place(found: "Found") -> str:
    """Where a passage stands: the file, its headings, the page."""
    passage = found.passage
    page = f"page {passage.page}" if passage.page is not None else ""
    whole = " > ".join(filter(None, [found.path, *passage.headings, page]))
    return whole[:MOST_OF_A_PLACE]


def bounded(passages: Iterable[KnownPassage], most: int = MOST_BYTES) -> list[KnownPassage]:
    """The first passages that have at most `most` bytes as JSON, the first one cut if it must be.

    A later one that does not fit is left out, and not cut: half a passage supports nothing.
    """
    kept: list[KnownPassage] = []
    left = most
    for each in passages:
        size = len(to_json(each)) + 1
        if size <= left:
            kept.append(each)
            left -= size
        elif not kept:
            kept.append(_cut(each, most))
            left = 0
    return kept


def _cut(passage: KnownPassage, most: int) -> KnownPassage:
    text = passage.text
    while text and len(to_json(replace(passage, text=f"{text}…"))) > most:
        text = text[: len(text) * 3 // 4]
    return replace(passage, text=f"{text}…")


def support_line(turn: Turn, text: str) -> TaskItem:
    """The line under an answer that cites nothing although documents were searched."""
    return TaskItem(
        id=turn.generate_id("task") + _MARK,
        thread_id=turn.thread.id,
        created_at=datetime.now(),  # noqa: DTZ005 - naive, as the SDK's own items are
        task=CustomTask(title=text, icon="info"),
    )


def is_support_line(item: ThreadItem) -> bool:
    return isinstance(item, TaskItem) and item.id.endswith(_MARK)
