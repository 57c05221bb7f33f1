"""The newest items of a thread, limited in number, without what a guardrail has withheld."""

from collections.abc import Sequence

from chatkit.types import ThreadItem, UserMessageItem

from .own_items import own_content

WITHHELD = "withheld"
"""Under this name a hidden item has the id of the item that it takes out of the history. The page
gets no hidden item, so the visitor still sees what they have written."""


def trim_history(newest_first: Sequence[ThreadItem], max_items: int) -> list[ThreadItem]:
    """The newest items, oldest first: at most `max_items`.

    The newest user message and every item after it are always included.
    """
    history: list[ThreadItem] = []
    has_message = False
    for item in newest_first:
        if has_message and len(history) >= max_items:
            break
        history.append(item)
        has_message = has_message or isinstance(item, UserMessageItem)
    return history[::-1]


def without_withheld(items: Sequence[ThreadItem]) -> list[ThreadItem]:
    """The items without those that a guardrail has withheld, and without the marks of that."""
    marks = {item.id: own_content(item, WITHHELD) for item in items}
    withheld = set(marks.values())
    return [item for item in items if item.id not in withheld and marks[item.id] is None]
