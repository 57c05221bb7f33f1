"""Checking an action before anything is answered, and running it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

from chatkit.store import NotFoundError
from chatkit.types import (
    HiddenContextItem,
    SyncCustomActionResponse,
    ThreadCustomActionParams,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    WidgetItem,
    WidgetRootUpdated,
)
from pydantic import BaseModel, ValidationError

from ..context import RequestContext
from ..errors import ActionError
from ..store import DynamoDBStore
from .actions import (
    ActionRun,
    Handover,
    Redraw,
    RegisteredAction,
    find,
)
from .documents import AssistantData
from .stored_widget import StoredWidget

Respond = Callable[[ThreadMetadata, None, RequestContext], AsyncIterator[ThreadStreamEvent]]
"""`ChatKitServer.respond`."""


class PreparedAction:
    """An action that may run: its type is known, its payload valid, its widget in the
    thread, the thread this person's and open.
    """

    def __init__(
        self,
        registered: RegisteredAction,
        payload: BaseModel,
        run: ActionRun,
        sender: StoredWidget | None,
    ) -> None:
        self._registered = registered
        self._payload = payload
        self._run = run
        self._sender = sender

    @property
    def thread(self) -> ThreadMetadata:
        """The thread as the handler has it: what a handler changes on it is to be saved."""
        return self._run.thread

    async def run_sync(self) -> SyncCustomActionResponse:
        """The pressed widget as it is now, already kept.

        Raises `ActionError`, at once for an action that is not a sync one.
        """
        if self._registered.kind != "sync":
            raise ActionError(422, f"{self._registered.name} streams its answer.")
        return SyncCustomActionResponse(updated_item=await self._drawn())

    async def run(self, respond: Respond | None = None) -> AsyncIterator[ThreadStreamEvent]:
        """The action's events, for ChatKit to send and to store.

        What the SDK does not store, updates of widgets that were there before, is
        kept here. `respond` is needed where `streams_answer` is true. Raises
        `ActionError`.
        """
        match self._registered.kind:
            case "sync":
                yield _shown(await self._drawn())
            case "events":
                async for event in self._kept(self._registered.handler(self._run, self._payload)):
                    yield event
            case "answer":
                if respond is None:
                    raise TypeError("this action needs somebody who answers")
                async for event in self._handed_over(respond):
                    yield event

    async def _drawn(self) -> WidgetItem:
        if self._sender is None:
            raise TypeError("a sync action was prepared without its widget")
        redraw: Redraw = await self._registered.handler(self._run, self._payload)
        return await self._sender.redraw(redraw)

    async def _handed_over(self, respond: Respond) -> AsyncIterator[ThreadStreamEvent]:
        run = self._run
        handover: Handover = await self._registered.handler(run, self._payload)
        if handover.redraw is not None and self._sender is not None:
            yield _shown(await self._sender.redraw(handover.redraw))
        # Whoever takes this event stores it and does not send it: the answer that
        # follows reads it from the history.
        yield ThreadItemDoneEvent(
            item=HiddenContextItem(
                id=run.store.generate_item_id("message", run.thread, run.context),
                thread_id=run.thread.id,
                created_at=datetime.now(),  # noqa: DTZ005 - naive, as the SDK's own items are
                content=handover.context,
            )
        )
        async for event in respond(run.thread, None, run.context):
            yield event

    async def _kept(
        self, events: AsyncIterator[ThreadStreamEvent]
    ) -> AsyncIterator[ThreadStreamEvent]:
        """`events`, with what they make of widgets that were there before kept."""
        run = self._run
        widgets = {} if self._sender is None else {self._sender.item.id: self._sender}
        new: set[str] = set()
        try:
            async for event in events:
                if isinstance(event, ThreadItemAddedEvent):
                    new.add(event.item.id)
                elif isinstance(event, ThreadItemDoneEvent):
                    new.discard(event.item.id)
                elif isinstance(event, ThreadItemUpdatedEvent) and event.item_id not in new:
                    if event.item_id not in widgets:
                        widgets[event.item_id] = await StoredWidget.load(
                            run.store, run.thread.id, event.item_id, run.context
                        )
                    await widgets[event.item_id].follow(event)
                yield event
        finally:
            for widget in widgets.values():
                await widget.flush()


async def check(
    params: ThreadCustomActionParams,
    store: DynamoDBStore,
    context: RequestContext,
) -> PreparedAction:
    """The action that `params` ask for, ready to run. Changes nothing.

    Costs one round trip: the thread and the widget are read side by side. Raises
    `ActionError`: 404 for an unknown action, thread or widget (somebody else's is
    unknown), 422 for a payload that is not valid, 409 for a thread that takes no
    more.
    """
    registered = find(params.action.type)
    if registered is None:
        raise ActionError(404, f"There is no action {params.action.type[:80]!r}.")
    if registered.kind == "sync" and params.item_id is None:
        raise ActionError(422, f"{registered.name} needs the widget that it came from.")
    payload = _valid(registered, params.action.payload)
    try:
        thread, sender = await asyncio.gather(
            store.load_thread(params.thread_id, context),
            _sender(store, params.thread_id, params.item_id, context),
        )
    except NotFoundError:
        raise ActionError(404, "This conversation or card is not there any more.") from None
    if thread.status.type != "active":
        raise ActionError(409, f"This conversation is {thread.status.type}.")
    run = ActionRun(
        thread=thread,
        sender=None if sender is None else sender.item,
        store=store,
        context=context,
        data=AssistantData.of(store, context),
    )
    return PreparedAction(registered, payload, run, sender)


async def _sender(
    store: DynamoDBStore, thread_id: str, item_id: str | None, context: RequestContext
) -> StoredWidget | None:
    if item_id is None:
        return None
    return await StoredWidget.load(store, thread_id, item_id, context)


def _valid(registered: RegisteredAction, payload: Any) -> BaseModel:
    try:
        return registered.payload.model_validate({} if payload is None else payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "payload"
        raise ActionError(422, f"{registered.name}: {place}: {first['msg']}") from None


def _shown(item: WidgetItem) -> ThreadItemUpdatedEvent:
    return ThreadItemUpdatedEvent(item_id=item.id, update=WidgetRootUpdated(widget=item.widget))
