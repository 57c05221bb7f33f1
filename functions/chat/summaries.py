"""Summaries: what a model knows of a long conversation's beginning.

When the history comes close to what a model gets of it, its older part is summarised once, and the
model gets the summary in its place. The summary is a hidden item of the thread (`own_items`), just
before the newest message: whoever tries an earlier message again removes it with what came after.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from agents import TResponseInputItem
from chatkit.agents import ThreadItemConverter
from chatkit.store import Store
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    GeneratedImageItem,
    ThreadItem,
    UserMessageItem,
    UserMessageTextContent,
)

from ..llm.length import bounded, cut, tokens, turns
from ..marks import as_data
from .history import without_withheld
from .own_items import just_before, own_content
from .tool_memory import in_places, with_calls

FULL: Final = 7 / 8
"""The share of the history's limits from which on its older part is summarised. Nothing has been
left out by then."""

KEPT: Final = 1 / 2
"""The share of the limits that is not summarised: the newest turns."""

MOST_TOKENS: Final = 1_000
"""Tokens of a summary, and an eighth of `CHATKIT_HISTORY_TOKENS` at most."""

MOST_PAGES: Final = 5
"""Pages of older items that are read for a conversation's first summary."""

SECONDS: Final = 20.0
"""The longest time that a summary may take. It is made while an answer streams, and delays only
the end of the stream: the visitor has read the answer by then."""

_TEXT: Final = "summary"
_THROUGH: Final = "through"


@dataclass(frozen=True)
class Recent:
    """The items that no summary covers, oldest first, and the summary of those before them."""

    items: list[ThreadItem]
    summary: str | None = None

    @classmethod
    def of(cls, history: Sequence[ThreadItem]) -> "Recent":
        items: list[ThreadItem] = []
        summary = through = None
        for item in history:
            if (text := own_content(item, _TEXT)) is None:
                items.append(item)
            else:
                summary, through = text, own_content(item, _THROUGH)
        start = next((at + 1 for at, item in enumerate(items) if item.id == through), 0)
        return cls(items[start:], summary)

    def told(self) -> list[TResponseInputItem]:
        """The summary as a model's input. It tells of what others wrote, so it is data."""
        if self.summary is None:
            return []
        text = as_data("a summary", f"Summary of the conversation so far:\n{self.summary}")
        part: Any = {"type": "input_text", "text": text}
        return [{"type": "message", "role": "user", "content": [part]}]

    def older(self, told: Sequence[Any], most_items: int, most_tokens: int) -> list[ThreadItem]:
        """What to summarise now; nothing while there is room. `told` are the items as input."""
        if len(self.items) < most_items * FULL and tokens(told) < most_tokens * FULL:
            return []
        starts = [at for at, item in enumerate(self.items) if isinstance(item, UserMessageItem)]
        kept, left = 0, most_tokens * KEPT
        for turn in reversed(turns(told)):
            left -= tokens(turn)
            start = starts[-kept - 1] if kept < len(starts) else 0
            if left < 0 or start == 0 or len(self.items) - start > most_items * KEPT:
                break
            kept += 1
        # The newest message, which is being answered, is never summarised.
        return self.items[: starts[-max(kept, 1)]] if starts else []


@dataclass(frozen=True)
class Older:
    """The older part of a conversation, of which a summary is to be made."""

    items: list[ThreadItem]
    earlier: str | None
    """The summary of what came before it."""
    newest: ThreadItem
    """The newest message of the user, before which the summary will stand."""
    read_from: str | None
    """The id of the oldest item that was read for this turn, unless it begins the conversation."""

    @property
    def place(self) -> datetime:
        return just_before(self.newest)

    async def with_beginning(self, store: Store[Any], limit: int, context: Any) -> "Older":
        """With what came before the items that were read, back to the earlier summary.

        Only where that was not among them: in a thread that is older than summaries, or after they
        failed for a while. Reads `MOST_PAGES` pages at most.
        """
        thread_id, after = self.newest.thread_id, self.read_from
        read: list[ThreadItem] = []
        before: list[ThreadItem] = []
        for _ in range(MOST_PAGES if self.earlier is None else 0):
            if after is None:
                break
            page = await store.load_thread_items(thread_id, after, limit, "desc", context)
            read = [*reversed(page.data), *read]
            before = without_withheld(read)
            if (found := Recent.of(before)).summary is not None:
                return replace(self, items=[*found.items, *self.items], earlier=found.summary)
            after = page.after if page.has_more else None
        return replace(self, items=[*before, *self.items])

    def content(self, summary: str, most_tokens: int) -> dict[str, Any]:
        """The content of the hidden item."""
        text = bounded(summary.strip(), min(MOST_TOKENS, most_tokens // 8))
        return {_TEXT: text, _THROUGH: self.items[-1].id}

    async def told(self, converter: ThreadItemConverter) -> list[Any]:
        """The older part as a model's input. Files are only named in it."""
        end = uuid4().hex
        # What a converter adds to the newest message, such as the page, must not be in it.
        last = AssistantMessageItem(
            id=end,
            thread_id=self.newest.thread_id,
            created_at=self.newest.created_at,
            content=[AssistantMessageContent(text=end)],
        )
        items, calls = in_places(
            [*map(_without_files, self.items), last, _without_files(self.newest)], None
        )
        images = [item for item in items if isinstance(item, GeneratedImageItem)]
        told = await converter.to_agent_input([item for item in items if item not in images])
        return [*_until(end, with_calls(told, calls))]

    def text(self, told: Sequence[Any], most_tokens: int) -> str:
        """What `told` has as one text, after the earlier summary."""
        text = "\n\n".join(_lines(cut(told, most_tokens)))
        before = f"Summary of what came before:\n{self.earlier}\n\n" if self.earlier else ""
        return f"{before}{text}".strip()


def _without_files(item: ThreadItem) -> ThreadItem:
    if not isinstance(item, UserMessageItem) or not item.attachments:
        return item
    names = ", ".join(file.name for file in item.attachments)
    named = UserMessageTextContent(text=f"(with the files: {names})")
    return item.model_copy(update={"attachments": [], "content": [*item.content, named]})


def _until(end: str, told: Iterable[Any]) -> Iterable[Any]:
    for each in told:
        before, found, _ = _words(each.get("content", "")).partition(end)
        if found:
            yield {**each, "content": before}
            return
        yield each


def _lines(told: Iterable[Any]) -> Iterable[str]:
    for each in told:
        match each.get("type"):
            case "function_call":
                yield f"The assistant called {each['name']} with {each['arguments']}"
            case "function_call_output":
                yield f"It returned: {_words(each['output'])}"
            case _ if each.get("role") in {"user", "assistant"} and _words(each["content"]):
                yield f"{str(each['role']).capitalize()}: {_words(each['content'])}"


def _words(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(part["text"] for part in content if part.get("text"))
    return ""
