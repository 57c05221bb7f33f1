"""Runs widget actions: checks each before the answer starts, and stores what it changes."""

from collections.abc import AsyncIterator, Callable, Mapping
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

from .. import aws
from ..context import RequestContext
from ..errors import ActionError, first_problem
from ..store import DynamoDBStore
from .actions import ActionRun, Handover, Redraw, WidgetAction
from .approvals import DECIDE
from .documents import Documents
from .stored_widget import StoredWidget

NOT_FOUND = "This conversation or card is not there any more."

Respond = Callable[[ThreadMetadata, None, RequestContext], AsyncIterator[ThreadStreamEvent]]
"""`ChatKitServer.respond`."""


class PreparedAction:
    """An action that has passed all checks and can run.

    Its type is known, its payload is valid, its widget is in the thread, and the thread is active
    and belongs to the user who sent the action.
    """

    def __init__(  # noqa: PLR0917 - complete when it is made
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
    def name(self) -> str:
        return self._action.name

    @property
    def payload(self) -> Any:
        """The payload, as the action declares it."""
        return self._payload

    @property
    def thread(self) -> ThreadMetadata:
        """The thread that the handler gets. The caller of `run` saves what the handler changes."""
        return self._run.thread

    @property
    def sender(self) -> WidgetItem | None:
        """The widget that was pressed."""
        return self._run.sender

    async def run_sync(self) -> SyncCustomActionResponse:
        """Run a sync action, and return its widget, redrawn and stored.

        Raises `ActionError`, also when the action is not a sync action.
        """
        if self._action.kind != "sync":
            raise ActionError(422, f"{self._action.name} streams its answer.")
        return SyncCustomActionResponse(updated_item=await self._redraw_sender())

    async def run(self, respond: Respond | None = None) -> AsyncIterator[ThreadStreamEvent]:
        """Run the action, and yield its events for the caller to send and store.

        The SDK does not store updates of existing widgets, so they are stored here. `respond` is
        required for an action that streams an answer. Raises `ActionError`.
        """
        match self._action.kind:
            case "sync":
                yield _widget_updated(await self._redraw_sender())
            case "events":
                async for event in self._store_updates(
                    self._action.handler(self._run, self._payload)
                ):
                    yield event
            case "answer":
                if respond is None:
                    raise TypeError("this action needs `respond`")
                async for event in self._stream_answer(respond):
                    yield event

    async def _redraw_sender(self) -> WidgetItem:
        if self._sender is None:
            raise TypeError("a sync action was prepared without its widget")
        redraw: Redraw = await self._action.handler(self._run, self._payload)
        return await self._sender.redraw(redraw)

    async def _stream_answer(self, respond: Respond) -> AsyncIterator[ThreadStreamEvent]:
        run = self._run
        handover: Handover = await self._action.handler(run, self._payload)
        if handover.redraw is not None and self._sender is not None:
            yield _widget_updated(await self._sender.redraw(handover.redraw))
        # The SDK stores this item and does not send it. The agent gets it with the history.
        yield ThreadItemDoneEvent(
            item=HiddenContextItem(
                id=run.generate_id("message"),
                thread_id=run.thread.id,
                created_at=datetime.now(),  # noqa: DTZ005 - naive, as the SDK's own items are
                content=handover.context,
            )
        )
        async for event in respond(run.thread, None, run.context):
            yield event

    async def _store_updates(
        self, events: AsyncIterator[ThreadStreamEvent]
    ) -> AsyncIterator[ThreadStreamEvent]:
        """Pass `events` on, and store their updates of widgets that existed before."""
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
                    await widgets[event.item_id].apply(event)
                yield event
        finally:
            for widget in widgets.values():
                await widget.flush()


async def load_sender(
    params: ThreadCustomActionParams, store: DynamoDBStore, context: RequestContext
) -> StoredWidget | None:
    """The widget that the action comes from, or None when the page sent the action without one.

    Makes one request. Raises `ActionError`: 404 when the user has no such item, 422 when the item
    is not a widget.
    """
    if params.item_id is None:
        return None
    try:
        return await StoredWidget.load(store, params.thread_id, params.item_id, context)
    except NotFoundError:
        raise ActionError(404, NOT_FOUND) from None


async def load_thread(
    params: ThreadCustomActionParams, store: DynamoDBStore, context: RequestContext
) -> ThreadMetadata:
    """The thread of an action. Makes one request.

    Raises `ActionError`: 404 when the user has no such thread, 409 when it is not active.
    """
    try:
        thread = await store.load_thread(params.thread_id, context)
    except NotFoundError:
        raise ActionError(404, NOT_FOUND) from None
    check_active(thread)
    return thread


def check_active(thread: ThreadMetadata) -> None:
    """Raise `ActionError` (409), with the reason if there is one, for a locked or closed thread."""
    if thread.status.type != "active":
        reason = getattr(thread.status, "reason", None)
        raise ActionError(409, reason or f"This conversation is {thread.status.type}.")


def known_action(actions: Mapping[str, WidgetAction], name: str) -> WidgetAction | None:
    """The action of this name: the engine's own, or one of the assistant's `actions`."""
    return DECIDE if name == DECIDE.name else actions.get(name)


def find_action(
    params: ThreadCustomActionParams, actions: Mapping[str, WidgetAction]
) -> WidgetAction:
    """The action that `params` name. Raises `ActionError` (404) when there is none."""
    found = known_action(actions, params.action.type)
    if found is None:
        raise ActionError(404, f"There is no action {params.action.type[:80]!r}.")
    return found


def read_payload(action: WidgetAction, params: ThreadCustomActionParams) -> BaseModel:
    """The action's payload, validated. Raises `ActionError` (422) when it is not valid."""
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
    """Check the action that `params` name, without changing anything.

    Makes one round trip: the thread and the widget are read at the same time. Raises `ActionError`.
    """
    action = find_action(params, actions)
    payload = read_payload(action, params)
    thread, sender = await aws.together(
        load_thread(params, store, context), load_sender(params, store, context)
    )
    return PreparedAction(action, payload, thread, sender, store, documents, context)


def _widget_updated(item: WidgetItem) -> ThreadItemUpdatedEvent:
    return ThreadItemUpdatedEvent(item_id=item.id, update=WidgetRootUpdated(widget=item.widget))
