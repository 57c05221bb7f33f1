"""Entities: what a person can mention with @ in a message."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field

from .documents import Documents

MAX_ENTITIES = 20


class Entity(BaseModel):
    """Something that can be mentioned, in the shape that ChatKit's page wants.

    `data` comes back with the message that mentions it; its values are text.
    """

    id: str
    title: str
    group: str
    icon: str = "notebook"
    interactive: bool = True
    data: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True)
class EntitySource:
    """Lists what one feature lets a person mention."""

    list_all: Callable[[Documents], Awaitable[Iterable[Entity]]]


def entity_source(function: Callable[[Documents], Awaitable[Iterable[Entity]]]) -> EntitySource:
    """Declare an async function that lists entities of the person whose documents it gets."""
    return EntitySource(function)


@dataclass(frozen=True)
class Entities:
    """All that can be mentioned in conversations with an assistant."""

    sources: tuple[EntitySource, ...] = field(default_factory=tuple)

    async def search(self, query: str, documents: Documents) -> list[dict[str, Any]]:
        """At most 20 entities with `query` in their title, whatever its case.

        An empty query lists the first ones.
        """
        wanted = query.strip().casefold()
        found = [entity for source in self.sources for entity in await source.list_all(documents)]
        matching = [entity for entity in found if wanted in entity.title.casefold()]
        return [entity.model_dump() for entity in matching[:MAX_ENTITIES]]
