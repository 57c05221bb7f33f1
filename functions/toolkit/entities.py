"""Entities: what a user can mention with @ in a message."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field

from .. import aws
from .documents import Documents

MAX_ENTITIES = 20
SOURCE_SECONDS = 10.0
"""The longest time, in seconds, that a message waits for its mentions."""

logger = logging.getLogger(__name__)


class Entity(BaseModel):
    """Something that can be mentioned, with the fields that ChatKit's page expects.

    A message that mentions the entity contains its `data`, whose values are text.
    """

    id: str
    title: str
    group: str
    icon: str = "notebook"
    interactive: bool = True
    data: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True)
class EntitySource:
    """Lists the entities of one feature."""

    list_all: Callable[[Documents], Awaitable[Iterable[Entity]]]


def entity_source(function: Callable[[Documents], Awaitable[Iterable[Entity]]]) -> EntitySource:
    """Declare an async function that lists the entities of the user whose documents it gets."""
    return EntitySource(function)


@dataclass(frozen=True)
class Entities:
    """All entities of an assistant."""

    sources: tuple[EntitySource, ...] = field(default_factory=tuple)

    async def search(self, query: str, documents: Documents) -> list[dict[str, Any]]:
        """At most 20 entities whose title contains `query`, ignoring case.

        An empty query returns the first 20.
        """
        wanted = query.strip().casefold()
        lists = await aws.together(*(source.list_all(documents) for source in self.sources))
        matching = [each for found in lists for each in found if wanted in each.title.casefold()]
        return [entity.model_dump() for entity in matching[:MAX_ENTITIES]]

    async def find(self, ids: Iterable[str], documents: Documents) -> dict[str, Entity]:
        """The entities with these ids, by id. Unknown ones are left out. A source that fails, or
        takes longer than `SOURCE_SECONDS`, has none, and is logged.
        """
        wanted = set(ids)
        if not wanted:
            return {}
        lists = await aws.together(*(_list(source, documents) for source in self.sources))
        return {each.id: each for found in reversed(lists) for each in found if each.id in wanted}


async def _list(source: EntitySource, documents: Documents) -> list[Entity]:
    try:
        async with asyncio.timeout(SOURCE_SECONDS):
            return [*await source.list_all(documents)]
    except Exception:
        logger.exception("a source of mentions failed")
        return []
