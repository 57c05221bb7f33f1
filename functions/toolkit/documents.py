"""Documents: what an assistant keeps for one person, in the table.

A document is small JSON: at most 350,000 bytes. Every change reads it, changes it, and writes it
back on the condition that nobody wrote in between. When somebody did, the change is made again on
what they wrote, so of two changes at the same time both are applied.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from pydantic import TypeAdapter

from ..context import RequestContext
from ..errors import ActionError
from ..store import Conflict

ATTEMPTS = 6
"""How often one change is tried. Only other tabs of the same person compete for a document."""

T = TypeVar("T")


@dataclass(frozen=True)
class Document(Generic[T]):
    """A kind of document: its name, the type of its content, and what it is at first.

        TASKS = Document("tasks", list[Task], empty=list)

    The type may be anything that pydantic can validate. The name must not change: it is part of
    the key in the table.
    """

    name: str
    type: Any
    empty: Callable[[], T]
    adapter: TypeAdapter[T] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "adapter", TypeAdapter(self.type))


class Records(Protocol):
    """What is asked of `functions.store.Records`."""

    async def get(self, kind: str, context: RequestContext) -> tuple[Any | None, Any]: ...

    async def put(self, kind: str, value: Any, context: RequestContext, *, version: Any) -> Any: ...


class Documents:
    """The documents of one person. Reads see every change that was acknowledged before."""

    def __init__(self, records: Records, context: RequestContext) -> None:
        self._records = records
        self._context = context

    async def read(self, document: Document[T]) -> T:
        """The content of a document; `document.empty()` when nothing was ever kept. One request."""
        value, _ = await self._records.get(document.name, self._context)
        return document.empty() if value is None else document.adapter.validate_python(value)

    async def change(self, document: Document[T], change: Callable[[T], T]) -> T:
        """Replace the content by what `change` makes of it, and return that. Two requests.

        `change` returns new content and leaves its argument alone; it may be called several times.
        What it raises goes through, and nothing is written then. Raises `ActionError` (409) when
        others kept changing the document.
        """
        for attempt in range(ATTEMPTS):
            value, version = await self._records.get(document.name, self._context)
            before = document.empty() if value is None else document.adapter.validate_python(value)
            after = change(before)
            if after == before:
                return after
            try:
                await self._records.put(
                    document.name,
                    document.adapter.dump_python(after, mode="json"),
                    self._context,
                    version=version,
                )
            except Conflict:
                # A random wait, so that tabs that collided do not collide again.
                await asyncio.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311
                continue
            return after
        raise ActionError(409, "Too much changed at once. Please try again.")
