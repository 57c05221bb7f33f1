"""Keeps a run whose tools wait for the visitor's approval, and goes on with it.

The Agents SDK ends such a run and gives its state. It is stored with the thread, without the
context of the request, until every card is decided. One run waits in a thread: a new answer gives
up the one that waits. A decision is a conditional write, so two presses cannot both count.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from agents import Agent, RunContextWrapper, RunResultStreaming, RunState
from chatkit.store import NotFoundError
from chatkit.types import (
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    WidgetItem,
    WidgetRootUpdated,
)

from ..errors import PublicError
from ..services import Services
from ..toolkit.approvals import Approval, Status, waits
from ..toolkit.documents import Document, Documents
from .kept_run import Call, KeptRun, packed, read, shortened, unpacked, without_secrets

if TYPE_CHECKING:
    from .turn import ServedTurn

logger = logging.getLogger(__name__)

EXPIRED: Final = "This has expired. Please ask again."
DECIDED: Final = "This was decided already."
TOO_LARGE: Final = (
    "This needs your approval, but the answer so far is too long to wait for it. "
    "Please ask for less at once."
)
NO_CARDS: Final = "This needs your approval, and this page cannot ask for it. It was not done."
DECLINED: Final = "The user declined this call. It was not done. Do not try it again unasked."

# `read` validates the content: a run that another version has stored counts as expired.
_RECORD: Final = Document[Any]("approval", Any, empty=lambda: None)


class Approvals:
    """The approvals of one turn."""

    def __init__(self, turn: "ServedTurn", services: Services) -> None:
        self._turn = turn
        self._assistant = services.assistant
        self._documents = Documents(
            services.records.of_thread(turn.thread.id), turn.request_context
        )

    async def ask(self, result: RunResultStreaming) -> AsyncIterator[ThreadStreamEvent]:
        """Keep the interrupted run, and show a card for each call that waits.

        Raises `PublicError` when the page cannot send a decision, or when the run is too large to
        be kept.
        """
        turn = self._turn
        if not turn.request_context.page_can("widget_actions"):
            raise PublicError(422, NO_CARDS)
        calls = [
            Call(
                item=turn.generate_id("message"),
                tool=item.qualified_name or item.name or "tool",
                arguments=item.arguments or "",
            )
            for item in result.interruptions
        ]
        state = without_secrets(result.to_state().to_json(context_serializer=lambda _: {}))
        message = turn.message.id if turn.message else None
        kept = KeptRun(message=message, calls=calls, state=None)
        before: list[Call] = []

        def keep(stored: KeptRun | None) -> KeptRun:
            # Another answer in this thread, at the same time, may wait too. One run can.
            before[:] = [] if stored is None or stored.state is None else stored.calls
            return kept

        most = self._assistant.max_tool_output
        for pack in (lambda: packed(state), lambda: packed(shortened(state, most))):
            kept.state = await asyncio.to_thread(pack)
            try:
                await self._change(keep)
                break
            except ValueError:  # it is too large
                continue
        else:
            raise PublicError(413, TOO_LARGE)
        for call in before:
            async for event in self.redraw(call.model_copy(update={"status": "withdrawn"})):
                yield event
        for call in calls:
            yield ThreadItemDoneEvent(
                item=WidgetItem(
                    id=call.item,
                    thread_id=turn.thread.id,
                    created_at=datetime.now(),  # noqa: DTZ005 - naive, as the SDK's own items are
                    widget=self._draw(call),
                )
            )

    async def decide(self, item_id: str, approve: bool) -> tuple[KeptRun | None, Call]:
        """Decide the call of a card, and return it with the run if that can go on now.

        Raises `PublicError`: 409 when it was decided before, 410 when the run is not there.
        """
        status: Status = "approved" if approve else "declined"
        update = {"status": status}
        decided: list[KeptRun] = []

        def change(stored: KeptRun | None) -> KeptRun:
            call = next((c for c in stored.calls if c.item == item_id), None) if stored else None
            if stored is None or call is None:
                raise PublicError(410, EXPIRED)
            if stored.state is None or call.status != "waiting":
                raise PublicError(409, DECIDED)
            calls = [c.model_copy(update=update) if c is call else c for c in stored.calls]
            decided[:] = [stored.model_copy(update={"calls": calls})]
            waiting = any(c.status == "waiting" for c in calls)
            return decided[0].model_copy(update={} if waiting else {"state": None})

        left = await self._change(change)
        call = next(c for c in left.calls if c.item == item_id)
        return (None if left.state else decided[0]), call

    async def show(self, item_id: str) -> AsyncIterator[ThreadStreamEvent]:
        """Draw a card as it was decided, for a page that shows an older one."""
        stored = read(await self._documents.read(_RECORD))
        for call in stored.calls if stored else []:
            if call.item == item_id:
                async for event in self.redraw(call):
                    yield event

    async def withdraw(self) -> AsyncIterator[ThreadStreamEvent]:
        """Give up the run that waits, because the visitor has asked something else.

        Reads nothing unless the thread shows a card that waits.
        """
        if self._turn.goes_on:
            return
        cards = (i for i in await self._turn.history() if isinstance(i, WidgetItem))
        if not any(waits(card.widget) for card in cards):
            return
        async for event in self._give_up("withdrawn", lambda stored: stored.state is not None):
            yield event

    async def expire(self, run: KeptRun) -> AsyncIterator[ThreadStreamEvent]:
        """Say on its cards that a run cannot go on."""
        items = [call.item for call in run.calls]
        async for event in self._give_up(
            "expired", lambda stored: [call.item for call in stored.calls] == items
        ):
            yield event

    async def restore(self, run: KeptRun, agent: Agent[Any]) -> RunState[Any, Any]:
        """The SDK's state of a run that was decided. Raises `PublicError` (410) when the SDK or the
        assistant has changed too much since.
        """
        try:
            state = await RunState.from_json(
                agent,
                await asyncio.to_thread(unpacked, run.state or ""),
                context_override=RunContextWrapper(self._turn),
            )
            for item, call in zip(state.get_interruptions(), run.calls, strict=True):
                if call.status == "approved":
                    state.approve(item)
                else:
                    state.reject(item, rejection_message=DECLINED)
        except Exception:
            logger.exception("a run that waited for approval cannot go on")
            raise PublicError(410, EXPIRED) from None
        return state

    async def _give_up(
        self, status: Status, may: Callable[[KeptRun], bool]
    ) -> AsyncIterator[ThreadStreamEvent]:
        given_up: list[Call] = []

        def change(stored: KeptRun | None) -> KeptRun | None:
            given_up.clear()
            if stored is None or not may(stored):
                return stored
            given_up.extend(c.model_copy(update={"status": status}) for c in stored.calls)
            return stored.model_copy(update={"calls": [*given_up], "state": None})

        await self._change(change)
        for call in given_up:
            async for event in self.redraw(call):
                yield event

    async def redraw(self, call: Call) -> AsyncIterator[ThreadStreamEvent]:
        """Draw a card as its call is decided, and store it."""
        turn = self._turn
        try:
            item = await turn.store.load_item(turn.thread.id, call.item, turn.request_context)
        except NotFoundError:  # a retry has removed it
            return
        if isinstance(item, WidgetItem):
            item = item.model_copy(update={"widget": self._draw(call)})
            # The SDK does not store updates of widgets.
            await turn.store.save_item(turn.thread.id, item, turn.request_context)
            yield ThreadItemUpdatedEvent(
                item_id=item.id, update=WidgetRootUpdated(widget=item.widget)
            )

    def _draw(self, call: Call) -> Any:
        approval = Approval(call.tool, call.arguments, call.status)
        return self._assistant.approval_card(self._turn, approval)

    async def _change(self, change: Callable[[KeptRun | None], Any]) -> Any:
        try:
            changed = await self._documents.change(
                _RECORD, lambda stored: _json(change(read(stored)))
            )
        except NotFoundError:
            raise PublicError(404, "This conversation is not there any more.") from None
        return read(changed)


def _json(run: KeptRun | None) -> Any:
    return None if run is None else run.model_dump(mode="json")
