"""The newest items of a thread, limited in number."""

from collections.abc import Sequence

from chatkit.types import HiddenContextItem, ThreadItem, UserMessageItem

WITHHELD = "withheld"


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


def withheld_by(item: ThreadItem) -> str | None:
    """The id of the item that this one takes out of the history: the page gets no hidden context,
    so the visitor still sees what they have written.
    """
    if isinstance(item, HiddenContextItem) and isinstance(item.content, dict):
        return item.content.get(WITHHELD)
    return None


def without_withheld(items: Sequence[ThreadItem]) -> list[ThreadItem]:
    """The items without those that a guardrail has withheld, and without the marks of that."""
    withheld = {withheld_by(item) for item in items}
    return [item for item in items if item.id not in withheld and withheld_by(item) is None]
