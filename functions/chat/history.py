"""The newest items of a thread, limited in number."""

from collections.abc import Sequence

from chatkit.types import ThreadItem, UserMessageItem


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
