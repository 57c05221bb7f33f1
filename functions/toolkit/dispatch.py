"""Runs a widget action: checks it before anything is answered, and keeps what it changes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime

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
from ..errors import ActionError, first_problem
from ..store import DynamoDBStore
from .actions import ActionRun, Handover, Redraw, WidgetAction
from .documents import Documents
from .stored_widget import StoredWidget

NOT_THERE = "This conversation or card is not there any more."

Respond = Callable[[ThreadMetadata, None, RequestContext], AsyncIterator[ThreadStreamEvent]]
"""`ChatKitServer.respond`."""


class PreparedAction:
    """An action that may run.

    Its type is known, its payload is valid, its widget is in the thread, and the thread is open
    and belongs to the person who pressed.
    """

    def __init__(  # noqa: PLR0917 - an object is whole when it is made
        self,
        action: WidgetAction,
        payload: BaseModel,
        thread: ThreadMetadata,
        sender: StoredWidget | None,
        store: DynamoDBStore,
        documents: Documents,
        context: RequestContext,
    ) -> None:
        self._action = action
        self._payload = payload
        self._sender = sender
        self._run = ActionRun(
            thread=thread,
            sender=None if sender is None else sender.item,
            store=store,
            context=context,
            documents=documents,
        )

    @property
    def thread(self) -> ThreadMetadata:
        """The thread that the handler gets. Whoever runs the action saves what it changes on it."""
        return self._run.thread

    async def run_sync(self) -> SyncCustomActionResponse:
        """The pressed widget as it is now, already stored.

        Raises `ActionError`, also for an action that is not a sync one.
        """
        if self._action.kind != "sync":
            raise ActionError(422, f"{self._action.name} streams its answer.")
        return SyncCustomActionResponse(updated_item=await self._drawn())

    async def run(self, respond: Respond | None = None) -> AsyncIterator[ThreadStreamEvent]:
        """The action's events, for ChatKit to send and to store.

        The SDK does not store updates of existing widgets, so they are stored here. An action
        that streams an answer needs `respond`. Raises `ActionError`.
        """
        match self._action.kind:
            case "sync":
                yield _shown(await self._drawn())
            case "events":
                async for event in self._kept(self._action.handler(self._run, self._payload)):
                    yield event
            case "answer":
                if respond is None:
                    raise TypeError("this action needs `respond`")
                async for event in self._handed_over(respond):
                    yield event

    async def _drawn(self) -> WidgetItem:
        if self._sender is None:
            raise TypeError("a sync action was prepared without its widget")
        redraw: Redraw = await self._action.handler(self._run, self._payload)
        return await self._sender.redraw(redraw)

    async def _handed_over(self, respond: Respond) -> AsyncIterator[ThreadStreamEvent]:
        run = self._run
        handover: Handover = await self._action.handler(run, self._payload)
        if handover.redraw is not None and self._sender is not None:
            yield _shown(await self._sender.redraw(handover.redraw))
        # The SDK stores this item and does not send it. The answer reads it from the history.
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
        """Pass `events` on, and store what they change on widgets that existed before."""
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


async def load_sender(
    params: ThreadCustomActionParams, store: DynamoDBStore, context: RequestContext
) -> StoredWidget | None:
    """The widget that was pressed; None for an action that the page sent without one.

    One request. Raises `ActionError`: 404 when the widget is unknown (somebody else's is), 422
    when the item is no widget.
    """
    if params.item_id is None:
        return None
    try:
        return await StoredWidget.load(store, params.thread_id, params.item_id, context)
    except NotFoundError:
        raise ActionError(404, NOT_THERE) from None


async def load_thread(
    params: ThreadCustomActionParams, store: DynamoDBStore, context: RequestContext
) -> ThreadMetadata:
    """The thread of an action. One request. Raises `ActionError`: 404 when it is unknown, 409
    when it takes no more.
    """
    try:
        thread = await store.load_thread(params.thread_id, context)
    except NotFoundError:
        raise ActionError(404, NOT_THERE) from None
    if thread.status.type != "active":
        raise ActionError(409, f"This conversation is {thread.status.type}.")
    return thread


def find_action(
    params: ThreadCustomActionParams, actions: Mapping[str, WidgetAction]
) -> WidgetAction:
    """The action that `params` name. Raises `ActionError` (404) for an unknown one."""
    found = actions.get(params.action.type)
    if found is None:
        raise ActionError(404, f"There is no action {params.action.type[:80]!r}.")
    return found


def read_payload(action: WidgetAction, params: ThreadCustomActionParams) -> BaseModel:
    """The payload that the browser sent. Raises `ActionError` (422) when it is not valid."""
    if action.kind == "sync" and params.item_id is None:
        raise ActionError(422, f"{action.name} needs the widget that it came from.")
    payload = params.action.payload
    try:
        return action.payload.model_validate({} if payload is None else payload)
    except ValidationError as error:
        problem = first_problem(error.errors(include_url=False, include_context=False))
        raise ActionError(422, f"{action.name}: {problem}") from None


async def prepare(
    params: ThreadCustomActionParams,
    actions: Mapping[str, WidgetAction],
    store: DynamoDBStore,
    documents: Documents,
    context: RequestContext,
) -> PreparedAction:
    """The action that `params` ask for, ready to run. Changes nothing.

    One round trip: the thread and the widget are read side by side. Raises `ActionError`.
    """
    action = find_action(params, actions)
    payload = read_payload(action, params)
    thread, sender = await asyncio.gather(
        load_thread(params, store, context), load_sender(params, store, context)
    )
    return PreparedAction(action, payload, thread, sender, store, documents, context)


def _shown(item: WidgetItem) -> ThreadItemUpdatedEvent:
    return ThreadItemUpdatedEvent(item_id=item.id, update=WidgetRootUpdated(widget=item.widget))
