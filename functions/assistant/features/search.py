"""Search: finds words in the visitor's earlier conversations, and reports its progress."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chatkit.types import AssistantMessageItem, ThreadItem, ThreadMetadata, UserMessageItem

from ...toolkit import Turn, tool

MAX_THREADS = 25
MAX_ITEMS = 50


@dataclass
class Match:
    conversation: str
    said_by: Literal["visitor", "assistant"]
    said_at: datetime
    text: str


@tool
async def search_conversations(turn: Turn, query: str) -> list[Match] | str:
    """Searches the visitor's own earlier conversations for words.

    Args:
        query: The words to look for. All of them must occur in one message.
    """
    words = query.lower().split()
    store, context = turn.store, turn.request_context
    threads = (await store.load_threads(MAX_THREADS, None, "desc", context)).data
    threads = [thread for thread in threads if thread.id != turn.thread.id]
    matches: list[Match] = []
    for number, thread in enumerate(threads, start=1):
        name = thread.title or "Untitled"
        await turn.progress(f"{number} of {len(threads)}: {name}", icon="search")
        page = await store.load_thread_items(thread.id, None, MAX_ITEMS, "desc", context)
        matches += [match for item in page.data if (match := _match(thread, item, words))]
    return matches[:10] or f"None of your earlier conversations mentions {query}."


def _match(thread: ThreadMetadata, item: ThreadItem, words: list[str]) -> Match | None:
    if not isinstance(item, UserMessageItem | AssistantMessageItem):
        return None
    text = " ".join(part.text for part in item.content)
    if not all(word in text.lower() for word in words):
        return None
    who: Literal["visitor", "assistant"] = (
        "visitor" if isinstance(item, UserMessageItem) else "assistant"
    )
    return Match(thread.title or "Untitled", who, item.created_at, text[:300])
