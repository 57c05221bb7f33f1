"""What a model gets of a conversation, and what is kept of an answer for the next ones."""

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from agents import Model, TResponseInputItem
from chatkit.types import HiddenContextItem, ThreadItem, UserMessageItem

from ..llm.length import shorten, tokens
from ..llm.model_input import in_turns, with_marked_outputs
from ..services import Services
from .history import trim_history, without_withheld
from .newest import NewestItems
from .own_items import extended, is_own, just_after, own_item
from .summaries import SECONDS, Older, Recent
from .tool_memory import Calls, content_of, in_places, with_calls

if TYPE_CHECKING:
    from .turn import ServedTurn

logger = logging.getLogger(__name__)


class Memory:
    """The memory of one turn. `newest` are the newest items of its thread."""

    def __init__(self, turn: "ServedTurn", services: Services, newest: NewestItems) -> None:
        self._turn = turn
        self._services = services
        self._newest = newest
        self._answered: ThreadItem | None = None
        self._runs = 0
        self._to_keep: list[HiddenContextItem] = []
        self._kept: list[str] = []
        self._older: Older | None = None

    async def begin(self) -> None:
        """Take note of the newest item, which is answered."""
        self._answered = next(iter(await self._newest.all()), None)

    async def history(self) -> list[ThreadItem]:
        """See `toolkit.Turn.history`."""
        return [item for item in await self._whole_history() if not is_own(item)]

    async def _whole_history(self) -> list[ThreadItem]:
        items = without_withheld(await self._newest.all())
        return trim_history(items, self._services.settings.history_items)

    async def input_for(self, model: str | Model | None) -> list[TResponseInputItem]:
        """`model_input` for an agent with this `model`; `None` for the chosen one."""
        assistant, settings = self._services.assistant, self._services.settings
        history = await self._whole_history()
        recent = Recent.of(history)
        first = [*await assistant.input_items(self._turn), *recent.told()]
        items, calls = in_places(recent.items, self._turn.models.full_name(model))
        told = with_calls(await assistant.converter(self._turn).to_agent_input(items), calls)
        marks = tokens(with_marked_outputs(told)) - tokens(told)
        room = max(settings.history_tokens - tokens(first) - marks, 0)
        older = recent.older(told, settings.history_items, room)
        if older and self._services.summarises:
            newest = _newest_message(recent.items)
            more = await self._newest.has_more() or history[0] != (await self._newest.all())[-1]
            self._older = Older(older, recent.summary, newest, history[0].id if more else None)
        return in_turns([*first, *shorten(told, room)])

    def remember(self, calls: Calls, model: str | Model | None) -> None:
        """Keep what the tools of a run returned, right behind what the run answers."""
        if calls:
            self._add(content_of(calls, self._turn.models.full_name(model)))

    def _remember_found(self) -> None:
        """Keep what may be cited of documents that the turn has searched, with what tools returned
        if anything is kept of that.
        """
        searches = self._turn.knowledge
        if searches is None or not (found := searches.to_keep()):
            return
        if self._to_keep:
            self._to_keep[-1] = extended(self._to_keep[-1], found)
        else:
            self._add(content_of([], None) | found)

    def _add(self, content: dict[str, Any]) -> None:
        if self._answered is not None:
            self._runs += 1
            at = just_after(self._answered, self._runs)
            item_id = self._turn.generate_id("sdk_hidden_context")
            self._to_keep.append(own_item(item_id, self._turn.thread.id, at, content))

    async def keep(self) -> None:
        """Store what is to be remembered. It never raises: the answer stays as it is."""
        turn = self._turn
        self._remember_found()
        while self._to_keep:
            item = self._to_keep.pop(0)
            self._kept.append(item.id)
            try:
                await turn.store.add_thread_item(turn.thread.id, item, turn.request_context)
            except Exception:
                logger.exception("what the tools returned was not kept")

    async def forget(self) -> None:
        """Keep nothing of an answer that a guardrail has taken back."""
        turn = self._turn
        self._answered = None  # a run that ends only now is not remembered either
        self._to_keep.clear()
        while self._kept:
            await turn.store.delete_thread_item(
                turn.thread.id, self._kept.pop(), turn.request_context
            )

    @property
    def summary_is_due(self) -> bool:
        return self._older is not None

    async def summarise(self) -> None:
        """Make the summary that is due, and store it. It never raises."""
        if (due := self._older) is None:
            return
        assistant, settings = self._services.assistant, self._services.settings
        limit, context = settings.history_tokens, self._turn.request_context
        try:
            async with asyncio.timeout(SECONDS):
                older = await due.with_beginning(self._turn.store, settings.history_items, context)
                told = await older.told(assistant.converter(self._turn))
                safe = await self._turn.guards.with_safe_outputs(told)
                summary = await assistant.summary(self._turn, older.text(safe, limit))
            if summary.strip():
                item_id = self._turn.generate_id("sdk_hidden_context")
                content = older.content(summary, limit)
                item = own_item(item_id, self._turn.thread.id, older.place, content)
                await self._turn.store.add_thread_item(self._turn.thread.id, item, context)
        except Exception as error:  # noqa: BLE001 - the next turn tries again
            logger.warning("no summary was made: %s", type(error).__name__)


def _newest_message(items: list[ThreadItem]) -> ThreadItem:
    return next(item for item in reversed(items) if isinstance(item, UserMessageItem))
