"""The newest items of a thread: read once, then updated with every write of this request."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from chatkit.types import Page, ThreadItem

from ..store import keys

ReadPage = Callable[[], Coroutine[Any, Any, Page[ThreadItem]]]


class NewestItems:
    """`read_page` reads one page of items, newest first. It is None for a new thread.

    The page is read when it is first needed, or in the background after `prefetch`.
    """

    def __init__(self, read_page: ReadPage | None = None) -> None:
        self._read_page = read_page
        self._reading: asyncio.Task[Page[ThreadItem]] | None = None
        self._written: dict[str, ThreadItem | None] = {}
        self._new: set[str] = set()

    def prefetch(self) -> None:
        """Begin to read the page, if that has not begun yet."""
        if self._reading is None and self._read_page is not None:
            self._reading = asyncio.create_task(self._read_page())
            # `_page` raises the error. Without this, asyncio logs it when nothing awaits the task.
            self._reading.add_done_callback(lambda read: read.cancelled() or read.exception())

    def cancel(self) -> None:
        """Stop reading the page, when nothing needs it any more."""
        if self._reading is not None:
            self._reading.cancel()

    async def all(self) -> list[ThreadItem]:
        """The items as they are now, newest first. The caller must not modify them."""
        page = await self._page()
        known = {item.id for item in page.data}
        written = [
            item
            for item_id, item in self._written.items()
            if item_id not in known and (item_id in self._new or not _is_older(item, page))
        ]
        items = [*reversed(written), *(self._written.get(item.id, item) for item in page.data)]
        return [item for item in items if item is not None]

    async def has_more(self) -> bool:
        """Whether the thread has older items than these."""
        return (await self._page()).has_more

    def record_write(self, item: ThreadItem, *, new: bool = False) -> None:
        """Record that an item was written.

        A `new` item is listed first, even when the clock of this machine is behind the one that
        wrote the other items. An item that is not `new` may be an old one, written again.
        """
        self._written[item.id] = item.model_copy(deep=True)
        if new:
            self._new.add(item.id)

    def record_delete(self, item_id: str) -> None:
        """Record that an item was deleted."""
        self._written[item_id] = None

    async def _page(self) -> Page[ThreadItem]:
        self.prefetch()
        # Shielded: when one waiting task is cancelled, the others still need the page.
        return Page() if self._reading is None else await asyncio.shield(self._reading)


def _is_older(item: ThreadItem | None, page: Page[ThreadItem]) -> bool:
    """Whether an item belongs among the older items, which are not on the page.

    One that is as old as the last item of the page would be on it if it were new.
    """
    if item is None or not page.has_more or not page.data:
        return False
    return keys.stamp(item.created_at) <= keys.stamp(page.data[-1].created_at)
