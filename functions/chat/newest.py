"""The newest items of a thread: read once, and kept up to date with what is written since."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from chatkit.types import Page, ThreadItem

from ..store import keys

ReadPage = Callable[[], Coroutine[Any, Any, Page[ThreadItem]]]


class NewestItems:
    """`read_page` reads a page of them, newest first. A new thread has none, so nothing reads it.

    The page is read when it is first needed, or in the background after `start`.
    """

    def __init__(self, read_page: ReadPage | None = None) -> None:
        self._read_page = read_page
        self._reading: asyncio.Task[Page[ThreadItem]] | None = None
        self._since: dict[str, ThreadItem | None] = {}
        self._new: set[str] = set()

    def start(self) -> None:
        """Begin to read the page, if that has not begun yet."""
        if self._reading is None and self._read_page is not None:
            self._reading = asyncio.create_task(self._read_page())
            # Whoever needs the page gets the error. Perhaps nobody does.
            self._reading.add_done_callback(lambda read: read.cancelled() or read.exception())

    async def all(self) -> list[ThreadItem]:
        """The items that were read and those written since, newest first. Do not change them."""
        page = await self._page()
        known = {item.id for item in page.data}
        written = [
            item
            for item_id, item in self._since.items()
            if item_id not in known and (item_id in self._new or not _is_older(item, page))
        ]
        items = [*reversed(written), *(self._since.get(item.id, item) for item in page.data)]
        return [item for item in items if item is not None]

    async def has_more(self) -> bool:
        """Whether the thread has older items than these."""
        return (await self._page()).has_more

    def put(self, item: ThreadItem, *, new: bool = False) -> None:
        """Note that an item was written.

        An item that is known to be `new` is the newest, whatever the clocks of the machines say
        that wrote the others. Any other may be an old item that was written again.
        """
        self._since[item.id] = item.model_copy(deep=True)
        if new:
            self._new.add(item.id)

    def drop(self, item_id: str) -> None:
        """Note that an item was deleted."""
        self._since[item_id] = None

    async def _page(self) -> Page[ThreadItem]:
        self.start()
        # Shielded: several may wait for it, and one who gives up must not end it for the others.
        return Page() if self._reading is None else await asyncio.shield(self._reading)


def _is_older(item: ThreadItem | None, page: Page[ThreadItem]) -> bool:
    """Whether an item's place is among the older items, which are not on the page."""
    if item is None or not page.has_more or not page.data:
        return False
    return _place(item) < _place(page.data[-1])


def _place(item: ThreadItem) -> str:
    return keys.position(keys.stamp(item.created_at), item.id)
