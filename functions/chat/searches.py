"""What the searches of a conversation have found, which is all that an answer may cite."""

import time
from collections.abc import Collection, Iterable
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from chatkit.types import EntitySource, ThreadItem

from ..characters import one_line
from ..context import RequestContext
from ..toolkit.knowledge import CITES, place
from .own_items import own_content

if TYPE_CHECKING:
    from ..knowledge.search import Found, Knowledge

FOUND: Final = "found"
"""Under this name a hidden item has the passages that a turn has found: `[title, place]` by id."""

MOST_FOUND: Final = 100
"""Passages that are kept of one turn, the newest."""

_MOST_OF_A_TITLE: Final = 300

_Passages = dict[str, list[str]]


class Searches:
    """The documents as one turn searches them (`toolkit.Turn.knowledge`), and what was found."""

    def __init__(self, knowledge: "Knowledge", context: RequestContext) -> None:
        self._knowledge = knowledge
        self._context = context
        self._earlier: _Passages = {}
        self._found: _Passages = {}
        self._to_keep: _Passages | None = None
        self.searched = False
        """Whether documents were searched for the message that is answered."""
        self.times: list[int] = []
        """How long each search of this turn took, in milliseconds."""

    def begin(self, newest_first: Iterable[ThreadItem]) -> None:
        """Take note of what earlier turns found, and of a search before the answer had to wait."""
        answering = True
        for item in newest_first:
            answering = answering and item.type != "user_message"
            found: _Passages | None = own_content(item, FOUND)
            if found is not None:
                self._earlier = found | self._earlier
                self.searched = self.searched or answering

    async def search(
        self, query: str, *, tags: Collection[str] = (), top: int = 6
    ) -> "list[Found]":
        """See `toolkit.turn.KnowledgeOfTurn`."""
        self.searched = True
        context, began = self._context, time.monotonic()
        try:
            found = await self._knowledge.search(
                query, tenant=context.tenant, roles=context.roles, tags=tags, top=top
            )
        finally:
            self.times.append(round((time.monotonic() - began) * 1000))
        new = {
            each.passage.id: [one_line(each.title)[:_MOST_OF_A_TITLE], one_line(place(each))]
            for each in found
        }
        self._found |= new
        self._to_keep = {**(self._to_keep or {}), **new}
        return found

    def to_keep(self) -> dict[str, Any]:
        """What a hidden item keeps of the searches since the last call; empty without any."""
        found, self._to_keep = self._to_keep, None
        return {} if found is None else {FOUND: dict([*found.items()][-MOST_FOUND:])}

    def lack(self, newest_first: Iterable[ThreadItem]) -> bool:
        """Whether documents were searched for the newest message, and no answer to it cites one."""
        answers = takewhile(lambda item: item.type != "user_message", newest_first)
        return self.searched and not any(_cites_passage(item) for item in answers)

    def source_of(self, passage_id: str) -> EntitySource | None:
        """What cites a passage; `None` for one that no search of this conversation has found."""
        known = self._found.get(passage_id) or self._earlier.get(passage_id)
        if known is None:
            return None
        title, where = known
        return EntitySource(
            id=f"{CITES}{passage_id}",
            title=title,
            description=where,
            icon="document",
            interactive=True,
            data={"place": where},  # an entity's preview shows its data
        )


def _cites_passage(item: ThreadItem) -> bool:
    return item.type == "assistant_message" and any(
        isinstance(each.source, EntitySource) and each.source.id.startswith(CITES)
        for part in item.content
        for each in part.annotations
    )
