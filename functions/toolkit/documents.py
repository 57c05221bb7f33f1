"""What the assistant keeps for one person, in the table.

One small document for each kind of thing. Every change reads the document,
changes it and writes it back on the condition that nobody wrote in between,
and begins again when somebody did: of two changes at once, both are applied.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Any, Protocol, Self, TypeVar

from pydantic import TypeAdapter

from ..assistant.models import (
    MAX_CHOICES,
    MAX_CONTACTS,
    MAX_NOTES,
    MAX_TASKS,
    Choice,
    Contact,
    Note,
    Preferences,
    Scheme,
    Task,
)
from ..context import RequestContext
from ..errors import ActionError
from ..store import Conflict, DynamoDBStore
from ..store.records import Records

ATTEMPTS = 6
"""Of one change. Only the same person's other tabs compete for a document."""


T = TypeVar("T")


class Documents(Protocol):
    """What is asked of `functions.store.records.Records`."""

    async def get(self, kind: str, context: RequestContext) -> tuple[Any | None, Any]: ...

    async def put(self, kind: str, value: Any, context: RequestContext, *, version: Any) -> Any: ...


class AssistantData:
    """One person's tasks, contacts, choices, notes and preferences.

    Reads are consistent: they see every change that was acknowledged before.
    What cannot be done raises `ActionError` with a sentence for the person.
    """

    def __init__(self, documents: Documents, context: RequestContext) -> None:
        self._documents = documents
        self._context = context

    @classmethod
    def of(cls, store: DynamoDBStore, context: RequestContext) -> Self:
        """The data in the table that `store` uses."""
        return cls(Records(store.table.name, client=store.table.client), context)

    async def tasks(self) -> list[Task]:
        return await self._read("tasks", _TASKS, [])

    async def add_tasks(self, titles: list[str]) -> list[Task]:
        """All tasks, with one more for each title. Raises when the list would be too long."""

        def add(tasks: list[Task]) -> list[Task]:
            if len(tasks) + len(titles) > MAX_TASKS:
                raise ActionError(409, f"The list is full: it holds {MAX_TASKS} tasks.")
            return [*tasks, *(Task(title=title) for title in titles)]

        return await self._change("tasks", _TASKS, [], add)

    async def set_done(self, task_id: str, *, done: bool) -> list[Task]:
        """All tasks, with this one ticked or not. Twice is as good as once."""

        def tick(tasks: list[Task]) -> list[Task]:
            if all(task.id != task_id for task in tasks):
                raise ActionError(404, "That task is not on your list.")
            return [
                task.model_copy(update={"done": done}) if task.id == task_id else task
                for task in tasks
            ]

        return await self._change("tasks", _TASKS, [], tick)

    async def contacts(self) -> list[Contact]:
        return await self._read("contacts", _CONTACTS, [])

    async def save_contact(self, contact: Contact) -> None:
        """Keep `contact`; one with the same address is replaced."""

        def keep(contacts: list[Contact]) -> list[Contact]:
            others = [c for c in contacts if c.email.casefold() != contact.email.casefold()]
            if len(others) >= MAX_CONTACTS:
                raise ActionError(409, f"There is room for {MAX_CONTACTS} contacts.")
            return [*others, contact]

        await self._change("contacts", _CONTACTS, [], keep)

    async def choice(self, choice_id: str) -> Choice:
        for choice in await self._read("choices", _CHOICES, []):
            if choice.id == choice_id:
                return choice
        raise ActionError(404, "That list is not there any more.")

    async def offer(self, choice: Choice) -> None:
        """Keep a question that is about to be asked; the oldest ones are forgotten."""
        await self._change("choices", _CHOICES, [], lambda kept: [*kept, choice][-MAX_CHOICES:])

    async def pick(self, choice_id: str, option_id: str) -> Choice:
        """The choice, with this option chosen. The first pick counts; another raises."""

        def choose(choices: list[Choice]) -> list[Choice]:
            return [_pick(c, option_id) if c.id == choice_id else c for c in choices]

        for choice in await self._change("choices", _CHOICES, [], choose):
            if choice.id == choice_id:
                return choice
        raise ActionError(404, "That list is not there any more.")

    async def notes(self) -> list[Note]:
        return await self._read("notes", _NOTES, [])

    async def save_note(self, note: Note) -> None:
        """Keep a note; the oldest ones are forgotten."""
        await self._change("notes", _NOTES, [], lambda kept: [*kept, note][-MAX_NOTES:])

    async def preferences(self) -> Preferences:
        return await self._read("preferences", _PREFERENCES, Preferences())

    async def set_scheme(self, scheme: Scheme) -> None:
        await self._change(
            "preferences",
            _PREFERENCES,
            Preferences(),
            lambda known: known.model_copy(update={"scheme": scheme}),
        )

    async def _read(self, kind: str, adapter: TypeAdapter[T], empty: T) -> T:
        value, _ = await self._documents.get(kind, self._context)
        return empty if value is None else adapter.validate_python(value)

    async def _change(
        self, kind: str, adapter: TypeAdapter[T], empty: T, change: Callable[[T], T]
    ) -> T:
        for attempt in range(ATTEMPTS):
            value, version = await self._documents.get(kind, self._context)
            before = empty if value is None else adapter.validate_python(value)
            after = change(before)
            if after == before:
                return after
            try:
                await self._documents.put(
                    kind, adapter.dump_python(after, mode="json"), self._context, version=version
                )
            except Conflict:
                # Full jitter, so that the tabs that collided do not collide again.
                await asyncio.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311
                continue
            return after
        raise ActionError(409, "Too much changed at once. Please try again.")


def _pick(choice: Choice, option_id: str) -> Choice:
    if all(option.id != option_id for option in choice.options):
        raise ActionError(404, "That option is not on the list.")
    if choice.chosen not in {None, option_id}:
        raise ActionError(409, "Another option was already chosen.")
    return choice.model_copy(update={"chosen": option_id})


_TASKS = TypeAdapter(list[Task])
_CONTACTS = TypeAdapter(list[Contact])
_CHOICES = TypeAdapter(list[Choice])
_NOTES = TypeAdapter(list[Note])
_PREFERENCES = TypeAdapter(Preferences)
