"""Documents: data that an assistant stores for one user or one conversation, in the table.

A document is JSON of at most 350,000 bytes. A change reads it, changes it, and writes it back on
the condition that no other request has written it in between. When one has, the change is repeated
on the new content, so two changes at the same time are both applied.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from chatkit.store import NotFoundError
from pydantic import BaseModel, TypeAdapter

from ..context import RequestContext
from ..errors import ActionError
from ..store import Conflict

MAX_ATTEMPTS = 6
"""Attempts for one change. Only other tabs of the same user can conflict with it."""

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


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

    def of_thread(self, thread_id: str) -> "Records": ...


class NoData(BaseModel):
    """The data of an assistant that keeps none for a conversation."""


class Documents:
    """The documents of one user. Reads are strongly consistent.

    `thread_model` is `Assistant.thread_data`.
    """

    def __init__(
        self,
        records: Records,
        context: RequestContext,
        thread_model: type[BaseModel] | None = None,
    ) -> None:
        self._records = records
        self._context = context
        self._thread_model = thread_model or NoData

    def of_thread(self, thread_id: str) -> "ThreadData[Any]":
        """What the assistant stores for one of the user's conversations."""
        records = self._records.of_thread(thread_id)
        return ThreadData(records, self._context, self._thread_model)

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


class ThreadData(Generic[M]):
    """The data of one conversation, in a model of the assistant's (`Assistant.thread_data`).

    It is deleted and exported with the conversation, and expires with it. It is at most 350,000
    bytes as JSON. Reads are strongly consistent.
    """

    def __init__(self, records: Records, context: RequestContext, model: type[M]) -> None:
        self._documents = Documents(records, context)
        self._document: Document[M] = Document("thread", model, model)

    async def read(self) -> M:
        """The data, or the model's defaults when none is stored. Makes one request."""
        return await self._documents.read(self._document)

    async def change(self, change: Callable[[M], M]) -> M:
        """Replace the data with the result of `change`, and return it. Makes two requests.

        `change` must return new data and not modify its argument:

            await turn.thread_data.change(lambda case: case.model_copy(update={"open": False}))

        It may be called several times. When it raises, nothing is written. Raises `ActionError`:
        409 when others change the data on every attempt, 404 when the conversation was deleted.
        """
        try:
            return await self._documents.change(self._document, change)
        except NotFoundError:
            raise ActionError(404, "This conversation is not there any more.") from None
