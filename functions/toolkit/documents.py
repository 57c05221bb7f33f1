"""Documents: data that an assistant stores for one user, in the table.

A document is JSON of at most 350,000 bytes. A change reads it, changes it, and writes it back on
the condition that no other request has written it in between. When one has, the change is repeated
on the new content, so two changes at the same time are both applied.
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

MAX_ATTEMPTS = 6
"""Attempts for one change. Only other tabs of the same user can conflict with it."""

T = TypeVar("T")


@dataclass(frozen=True)
class Document(Generic[T]):
    """A kind of document: its name, the type of its content, and its initial content.

        TASKS = Document[list[Task]]("tasks", list[Task], empty=list)

    `type` is any type that pydantic can validate. Do not change `name` later, because it is part
    of the key in the table.
    """

    name: str
    type: Any
    empty: Callable[[], T]
    adapter: TypeAdapter[T] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "adapter", TypeAdapter(self.type))


class Records(Protocol):
    """The methods of `functions.store.Records` that are used here."""

    async def get(self, kind: str, context: RequestContext) -> tuple[Any | None, Any]: ...

    async def put(self, kind: str, value: Any, context: RequestContext, *, version: Any) -> Any: ...


class Documents:
    """The documents of one user. Reads are strongly consistent."""

    def __init__(self, records: Records, context: RequestContext) -> None:
        self._records = records
        self._context = context

    async def read(self, document: Document[T]) -> T:
        """The content, or `document.empty()` when none is stored. Makes one request."""
        value, _ = await self._records.get(document.name, self._context)
        return document.empty() if value is None else document.adapter.validate_python(value)

    async def change(self, document: Document[T], change: Callable[[T], T]) -> T:
        """Replace the content with the result of `change`, and return it. Makes two requests.

        `change` must return new content and not modify its argument. It may be called several
        times. When it raises, nothing is written. Raises `ActionError` (409) when other requests
        change the document on every attempt.
        """
        for attempt in range(MAX_ATTEMPTS):
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
                # Wait a random time, so that the same requests do not conflict again.
                await asyncio.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311
                continue
            return after
        raise ActionError(409, "Too much changed at once. Please try again.")
