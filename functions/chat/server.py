"""The ChatKit server that answers one streaming request."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

from chatkit.actions import Action
from chatkit.errors import CustomStreamError
from chatkit.server import ChatKitServer
from chatkit.types import (
    NoticeEvent,
    StreamOptions,
    TaskItem,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    UserMessageItem,
    WidgetItem,
    WorkflowItem,
)

from ..context import RequestContext
from ..errors import PublicError
from ..limits.answer_use import AnswerUse
from ..server.cancelled import CANCELLED, keep_cancelled
from ..services import Services
from ..toolkit import short_title
from ..toolkit.approvals import DECIDE
from ..toolkit.dispatch import PreparedAction
from ..toolkit.guardrails import GuardrailTripped
from ..toolkit.knowledge import support_line
from ..web.identity import Visitor
from ..web.run_id import with_run
from .answer import Stop, StopReason
from .approvals import EXPIRED, Approvals
from .item_ids import RunIds
from .models import TurnModels
from .recorder import Recorder
from .run_store import RunStore
from .shown import ShownItems
from .stream_errors import stream_error
from .turn import ServedTurn
from .unfinished import end_workflow, finish_items
from .visible import shows_answer

logger = logging.getLogger(__name__)

NO_ANSWER = "The model answered nothing at all."

_STOP_NOTES: dict[StopReason, str] = {
    "visitor": CANCELLED,
    "deadline": "The answer was cut off because it took too long.",
    "shutdown": "The answer was cut off because the server restarted.",
}


class AssistantServer(ChatKitServer[RequestContext]):
    """Answers one streaming request. Each request gets a new server.

    `store` is the request's view of the table. `action` is the action to run, if the request is
    one.
    """

    store: RunStore

    def __init__(
        self,
        store: RunStore,
        services: Services,
        models: TurnModels,
        use: AnswerUse,
        stop: Stop,
        *,
        action: PreparedAction | None,
        visitor: Visitor,
        recorder: Recorder,
    ) -> None:
        super().__init__(store)
        self.allows_stop = False
        """Whether the page may stop this answer, which is known once its stream begins."""
        self._services = services
        self._models = models
        self._use = use
        self._stop = stop
        self._action = action
        self._visitor = visitor
        self._recorder = recorder
        self._turn: ServedTurn | None = None
        self._title: asyncio.Task[str] | None = None
        self._summary: asyncio.Task[None] | None = None
        self._shown = ShownItems()

    def get_stream_options(self, thread: ThreadMetadata, context: RequestContext) -> StreamOptions:
        options = self._services.assistant.stream_options(self._turn_in(thread, context))
        self.allows_stop = options.allow_cancel
        return options

    async def respond(
        self,
        thread: ThreadMetadata,
        input_user_message: UserMessageItem | None,
        context: RequestContext,
    ) -> AsyncIterator[ThreadStreamEvent]:
        turn = self._turn_in(thread, context)
        await turn.begin(input_user_message)
        asked = turn.message or next(iter((await turn.history())[-1:]), None)
        self._shown = ShownItems(await self.store.newest.all(), asked)
        approvals = Approvals(turn, self._services)
        complete = False
        try:
            async for event in approvals.withdraw():
                yield event
            async for event in self._answer(turn, asked):
                yield event
            complete = True
        except Exception as error:
            self._recorder.error = error
            if isinstance(error, GuardrailTripped):
                await turn.memory.forget()
                for event in self._shown.taken_back(turn):
                    yield event
            else:
                await self._name_at_once(thread, context)
            if (run := turn.take_kept_run()) is not None:  # no agent has gone on with it
                async for event in approvals.expire(run):
                    yield event
            if (visible := stream_error(error, self._recorder.run_id)) is None:
                raise
            raise visible from None
        finally:
            if self._title is not None:
                self._title.cancel()
            if self._summary is not None and not complete:
                self._summary.cancel()
            await turn.memory.keep()
            self._recorder.note(turn)

    async def _answer(
        self, turn: ServedTurn, asked: ThreadItem | None
    ) -> AsyncIterator[ThreadStreamEvent]:
        """The assistant's answer within its guardrails, its title, and what comes after it."""
        thread, context = turn.thread, turn.request_context
        ids = RunIds(
            lambda kind: self.store.generate_item_id(kind, thread, context),
            self.store.generated_ids,
        )
        events = turn.cited(ids.rewrite(turn.merged(self._services.assistant.respond(turn))))
        answered = False
        async for event in finish_items(turn.guards.within(events, asked), turn):
            self._shown.observe(event)
            self._start_title(turn)
            self._start_summary(turn)
            answered = answered or shows_answer(event)
            self._recorder.observe(event)
            yield event
        if not answered:
            # The model only thought, or `/v1` is missing from its server's address, so that it
            # answers with a web page.
            told = with_run(NO_ANSWER, self._recorder.run_id)
            raise CustomStreamError(told, allow_retry=True)
        if turn.goes_on:  # the assistant has run no agent
            raise PublicError(410, EXPIRED)
        await turn.memory.keep()
        if (line := await self._support_line(turn)) is not None:
            self._recorder.unsupported = True
            yield ThreadItemDoneEvent(item=line)
        async for event in self._after(turn, ids):
            yield event
        if self._title is not None:
            await self.store.name_thread(thread, await self._title, context)
        if notice := self._use.notice():
            yield NoticeEvent(level="warning", message=notice)

    async def _support_line(self, turn: ServedTurn) -> TaskItem | None:
        """What says that nothing supports a complete answer, although documents were searched."""
        if _goes_on_later(turn) or not await turn.lacks_support():
            return None
        text = self._services.assistant.unsupported(turn)
        return support_line(turn, text) if text else None

    def _turn_in(self, thread: ThreadMetadata, context: RequestContext) -> ServedTurn:
        """The turn of this request. Its thread is the one that the SDK saves the changes of."""
        if self._turn is None or self._turn.thread is not thread:
            self._turn = ServedTurn.of(
                thread,
                self.store,
                context,
                services=self._services,
                models=self._models,
                use=self._use,
                visitor=self._visitor,
            )
        return self._turn

    async def _after(self, turn: ServedTurn, ids: RunIds) -> AsyncIterator[ThreadStreamEvent]:
        """What the assistant adds to a complete answer, which an error in it must not spoil."""
        if _goes_on_later(turn):
            return
        try:
            events = ids.rewrite(turn.merged(self._services.assistant.after(turn)))
            async for event in finish_items(turn.cited(events), turn):
                yield event
        except Exception:
            logger.exception("the assistant failed after the answer")

    def _start_title(self, turn: ServedTurn) -> None:
        """Start to make a title while the answer streams, unless the thread has one.

        The answer's call comes first: it uses what was reserved for it.
        """
        if self._title is None and turn.thread.title is None and turn.first_words:
            self._title = asyncio.create_task(self._make_title(turn))

    async def _make_title(self, turn: ServedTurn) -> str:
        """The assistant's title, or the first words when it fails: the answer matters more."""
        try:
            return short_title(await self._services.assistant.title(turn))
        except Exception:
            logger.exception("the assistant made no title")
            return short_title(turn.first_words)

    def _start_summary(self, turn: ServedTurn) -> None:
        """Start to make a summary, if one is due, while the answer streams."""
        if self._summary is None and turn.memory.summary_is_due:
            self._summary = asyncio.create_task(turn.memory.summarise())

    async def end_summary(self) -> None:
        """Wait for a summary that takes longer than its answer."""
        if self._summary is not None:
            await asyncio.wait({self._summary})

    async def _name_at_once(self, thread: ThreadMetadata, context: RequestContext) -> None:
        """Name the thread of an answer that breaks off: by its title if that is made, else by the
        first words of the message.
        """
        title = self._title
        if self._turn is None or thread.title is not None or not self._turn.first_words:
            return
        done = title is not None and title.done() and not title.cancelled()
        name = title.result() if title is not None and done else self._turn.first_words
        name = short_title(name)
        try:
            # A copy: the SDK would send a changed thread, and an error is the last event.
            await self.store.name_thread(thread.model_copy(), name, context)
        except Exception:
            logger.exception("the thread got no title")

    def action(
        self,
        thread: ThreadMetadata,  # noqa: ARG002 - the SDK's signature
        action: Action[str, Any],  # noqa: ARG002
        sender: WidgetItem | None,  # noqa: ARG002
        context: RequestContext,
    ) -> AsyncIterator[ThreadStreamEvent]:
        return self._run_action(context)

    async def _run_action(self, context: RequestContext) -> AsyncIterator[ThreadStreamEvent]:
        if self._action is None:
            raise TypeError("the request was not checked as an action")
        try:
            if self._action.name == DECIDE.name:
                events = self._decide(self._action, context)
            else:
                events = self._action.run(self.respond)
            async for event in events:
                yield event
        except Exception as error:
            self._recorder.error = error
            if (visible := stream_error(error, self._recorder.run_id)) is None:
                raise
            raise visible from None

    async def _decide(
        self, action: PreparedAction, context: RequestContext
    ) -> AsyncIterator[ThreadStreamEvent]:
        """Decide the call of the pressed card, and go on with the run when all are decided."""
        turn = self._turn_in(action.thread, context)
        approvals = Approvals(turn, self._services)
        if action.sender is None:
            raise PublicError(410, EXPIRED)
        try:
            run, call = await approvals.decide(action.sender.id, action.payload.approve)
        except PublicError:
            async for event in approvals.show(action.sender.id):
                yield event
            raise
        async for event in approvals.redraw(call):
            yield event
        if run is not None:
            turn.go_on_with(run)
            async for event in self.respond(action.thread, None, context):
                yield event

    async def _take_back(self, turn: ServedTurn) -> None:
        """Take the answer back without the SDK, whose stream was cancelled."""
        await turn.memory.forget()
        thread, context = turn.thread, turn.request_context
        for event in self._shown.taken_back(turn):
            if isinstance(event, ThreadItemDoneEvent):
                await self.store.add_thread_item(thread.id, event.item, context)
            elif isinstance(event, ThreadItemRemovedEvent):
                await self.store.delete_thread_item(thread.id, event.item_id, context)

    async def handle_stream_cancelled(
        self, thread: ThreadMetadata, pending_items: list[ThreadItem], context: RequestContext
    ) -> None:
        """Store what there is of the answer, and tell the model why it was cut off."""
        if self._turn is not None:
            try:
                await self._turn.guards.check_stopped()
            except GuardrailTripped:
                await self._take_back(self._turn)
                return
        await self._name_at_once(thread, context)
        unfinished: list[ThreadItem] = [
            each for each in pending_items if not isinstance(each, WorkflowItem)
        ]
        if self._turn is not None and (workflow := end_workflow(self._turn)) is not None:
            unfinished.append(workflow)
        note = _STOP_NOTES[self._stop.reason or "visitor"]
        await keep_cancelled(self.store, thread, unfinished, context, note)


def _goes_on_later(turn: ServedTurn) -> bool:
    """Whether the answer waits for an approval, or for a tool of the page."""
    return turn.waits or turn.client_tool_call is not None
