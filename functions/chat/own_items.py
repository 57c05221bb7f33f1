"""Hidden items that the engine itself stores among those of a thread.

They are `HiddenContextItem`s, which the page never gets. Like every other item they are ordered,
exported, deleted with the thread, and removed when an earlier message is tried again. Assistants
do not see them in `Turn.history`.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from chatkit.types import HiddenContextItem, ThreadItem

_KEY: Final = "chatkit_serverless"


def own_item(
    item_id: str, thread_id: str, at: datetime, content: dict[str, Any]
) -> HiddenContextItem:
    return HiddenContextItem(
        id=item_id, thread_id=thread_id, created_at=at, content={_KEY: content}
    )


def extended(item: HiddenContextItem, content: dict[str, Any]) -> HiddenContextItem:
    """An item of the engine's own with more content."""
    return own_item(item.id, item.thread_id, item.created_at, {**item.content[_KEY], **content})


def own_content(item: ThreadItem, name: str) -> Any | None:
    """What an item of the engine's own has under `name`; `None` for all other items."""
    if not isinstance(item, HiddenContextItem) or not isinstance(item.content, dict):
        return None
    content = item.content.get(_KEY)
    return content.get(name) if isinstance(content, dict) else None


def is_own(item: ThreadItem) -> bool:
    return (
        isinstance(item, HiddenContextItem)
        and isinstance(item.content, dict)
        and _KEY in item.content
    )


def just_after(item: ThreadItem, number: int = 1) -> datetime:
    """The moment of the `number`-th hidden item behind `item`, before what is written next."""
    return item.created_at + timedelta(microseconds=number)


def just_before(item: ThreadItem) -> datetime:
    return item.created_at - timedelta(microseconds=1)
