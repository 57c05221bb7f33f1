"""The newest items of a thread: read once, kept up with what is written since."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from chatkit.types import Page, ThreadItem

from ..store import keys


class NewestItems:
    """Not read at first: a new thread has none."""

    def __init__(self) -> None:
        self._reading: asyncio.Task[Page[ThreadItem]] | None = None
        self._since: dict[str, ThreadItem | None] = {}
        self._new: set[str] = set()

    def read(self, page: Coroutine[Any, Any, Page[ThreadItem]]) -> None:
        """Begin to read a page of them, newest first. `all` waits for it."""
        self._reading = asyncio.create_task(page)

    def forget(self) -> None:
        """Nobody is going to wait for the page any more, nor hear of it."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading.add_done_callback(lambda read: read.cancelled() or read.exception())

    async def all(self) -> list[ThreadItem]:
        """Newest first: those that were read, and those written since. Not for changing."""
        page = await self._page()
        known = {item.id for item in page.data}
        written = [
            item
            for name, item in self._since.items()
            if name not in known and (name in self._new or not _lies_behind(item, page))
        ]
        items = [*reversed(written), *(self._since.get(item.id, item) for item in page.data)]
        return [item for item in items if item is not None]

    async def has_more(self) -> bool:
        """Whether the thread has older ones than these."""
        return (await self._page()).has_more

    def put(self, item: ThreadItem, *, new: bool = False) -> None:
        """An item was written.

        It is the newest when it is known to be `new`, whatever the clock of the machine says
        that wrote the others. Otherwise it may be an old one that was written again.
        """
        self._since[item.id] = item.model_copy(deep=True)
        if new:
            self._new.add(item.id)

    def drop(self, item_id: str) -> None:
        self._since[item_id] = None

    async def _page(self) -> Page[ThreadItem]:
        # Shielded: whoever gives up waiting is not the only one who waits.
        return Page() if self._reading is None else await asyncio.shield(self._reading)


def _lies_behind(item: ThreadItem | None, page: Page[ThreadItem]) -> bool:
    """Whether an item's place is among the older ones that the page has not."""
    if item is None or not page.has_more or not page.data:
        return False
    return _place(item) < _place(page.data[-1])


def _place(item: ThreadItem) -> str:
    return keys.position(keys.stamp(item.created_at), item.id)
