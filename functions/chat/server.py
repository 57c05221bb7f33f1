"""The ChatKit server that answers one streaming request."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

from agents import Model, RunConfig, Runner, RunResultStreaming
from agents.run import CallModelData, ModelInputData
from chatkit.actions import Action
from chatkit.agents import stream_agent_response
from chatkit.errors import CustomStreamError
from chatkit.server import ChatKitServer, agents_sdk_user_agent_override
from chatkit.types import (
    NoticeEvent,
    ProgressUpdateEvent,
    ThreadItem,
    ThreadMetadata,
    ThreadStreamEvent,
    UserMessageItem,
    WidgetItem,
    WorkflowItem,
)

from ..context import RequestContext
from ..limits.answer_use import AnswerUse
from ..llm.length import shorten
from ..llm.model_input import with_json_arguments, with_marked_outputs
from ..llm.refused_files import RetryWithoutFiles
from ..llm.too_long import RetryShorter
from ..server.cancelled import CANCELLED, keep_cancelled
from ..services import Services
from ..toolkit import short_title
from ..toolkit.agent_turn import AgentTurn
from ..toolkit.dispatch import PreparedAction
from .answer import Stop, StopReason
from .generated_images import GeneratedImages
from .history import Converter, trim_history
from .item_ids import RunIds
from .meter import Meter
from .run_store import RunStore
from .stream_errors import stream_error
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
        model: Model,
        use: AnswerUse,
        stop: Stop,
        *,
        action: PreparedAction | None,
    ) -> None:
        super().__init__(store)
        self._services = services
        self._model = model
        self._use = use
        self._stop = stop
        self._action = action
        self._meter = Meter()
        self._turn: AgentTurn | None = None
        self._title: asyncio.Task[str] | None = None
        self._first_words: str | None = None
        """What the title is made of; None when the thread needs none."""

    async def respond(
        self,
        thread: ThreadMetadata,
        input_user_message: UserMessageItem | None,
        context: RequestContext,
    ) -> AsyncIterator[ThreadStreamEvent]:
        settings = self._services.settings
        history = trim_history(await self.store.newest.all(), settings.history_items)
        turn = AgentTurn(
            thread=thread,
            store=self.store,
            request_context=context,
            documents=self._services.documents(context),
        )
        self._turn = turn
        result = await self._run_agent(turn, history, input_user_message)
        self._first_words = _first_words(thread, history)
        ids = RunIds(
            lambda kind: self.store.generate_item_id(kind, thread, context),
            self.store.generated_ids,
        )
        images = GeneratedImages(self._services.attachments, thread.id, context)
        try:
            answered = False
            events = stream_agent_response(turn, result, converter=images)
            async for event in finish_items(ids.rewrite(events), turn):
                self._start_title()
                answered = answered or shows_answer(event)
                self._meter.observe(event)
                yield event
            if not answered:
                # The model only thought, or `/v1` is missing from its server's address, so that
                # it answers with a web page.
                raise CustomStreamError(NO_ANSWER, allow_retry=True)  # noqa: TRY301 - handled below
            if self._title is not None:
                await self.store.name_thread(thread, await self._title, context)
            if notice := self._use.notice():
                yield NoticeEvent(level="warning", message=notice)
        except Exception as error:
            await self._name_at_once(thread, context)
            if (visible := stream_error(error)) is None:
                raise
            raise visible from None
        finally:
            if self._title is not None:
                self._title.cancel()
            await _end_run(result, turn)
            self._meter.report(result.context_wrapper.usage)

    async def _run_agent(
        self, turn: AgentTurn, history: list[ThreadItem], message: UserMessageItem | None
    ) -> RunResultStreaming:
        options = message.inference_options if message else None
        tool_choice = options.tool_choice.id if options and options.tool_choice else None
        converter = Converter(self._services.attachments, turn.request_context)
        model_input = shorten(
            await converter.to_agent_input(history), self._services.settings.history_tokens
        )
        assistant = self._services.assistant
        if tool_choice not in {tool.name for tool in assistant.tools_for(turn)}:
            tool_choice = None  # the page cannot do what this tool needs
        model = RetryWithoutFiles(RetryShorter(self._model))
        agent = assistant.agent_for(turn, model, tool_choice)
        with agents_sdk_user_agent_override():
            return Runner.run_streamed(
                agent,
                model_input,
                context=turn,
                max_turns=assistant.max_turns,
                run_config=RunConfig(
                    # Lambda freezes the background thread that exports traces.
                    tracing_disabled=True,
                    # The model gets to know its mistakes, and may correct them.
                    tool_not_found_behavior="return_error_to_model",
                    call_model_input_filter=_as_sent,
                ),
            )

    def _start_title(self) -> None:
        """Start to make a title while the answer streams, unless the thread has one.

        The answer's call comes first: it uses what was reserved for it.
        """
        if self._title is None and self._first_words is not None:
            self._title = asyncio.create_task(self._make_title(self._first_words))

    async def _make_title(self, text: str) -> str:
        """The assistant's title, or the first words when it fails: the answer matters more."""
        try:
            return await self._services.assistant.title_for(text, self._model)
        except Exception:
            logger.exception("the assistant made no title")
            return short_title(text) or "New conversation"

    async def _name_at_once(self, thread: ThreadMetadata, context: RequestContext) -> None:
        """Name the thread of an answer that breaks off: by its title if that is made, else by the
        first words of the message.
        """
        title = self._title
        if self._first_words is None or thread.title is not None:
            return
        done = title is not None and title.done() and not title.cancelled()
        made = title.result() if title is not None and done else ""
        name = made or short_title(self._first_words) or "New conversation"
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
        context: RequestContext,  # noqa: ARG002
    ) -> AsyncIterator[ThreadStreamEvent]:
        return self._run_action()

    async def _run_action(self) -> AsyncIterator[ThreadStreamEvent]:
        if self._action is None:
            raise TypeError("the request was not checked as an action")
        try:
            async for event in self._action.run(self.respond):
                yield event
        except Exception as error:
            if (visible := stream_error(error)) is None:
                raise
            raise visible from None

    async def handle_stream_cancelled(
        self, thread: ThreadMetadata, pending_items: list[ThreadItem], context: RequestContext
    ) -> None:
        """Store what there is of the answer, and tell the model why it was cut off."""
        await self._name_at_once(thread, context)
        unfinished: list[ThreadItem] = [
            each for each in pending_items if not isinstance(each, WorkflowItem)
        ]
        if self._turn is not None and (workflow := end_workflow(self._turn)) is not None:
            unfinished.append(workflow)
        note = _STOP_NOTES[self._stop.reason or "visitor"]
        await keep_cancelled(self.store, thread, unfinished, context, note)


def _first_words(thread: ThreadMetadata, history: list[ThreadItem]) -> str | None:
    """The first message of a thread without a title, or the name of its first file."""
    first = next((item for item in history if isinstance(item, UserMessageItem)), None)
    if thread.title is not None or first is None:
        return None
    text = " ".join(part.text for part in first.content).strip()
    return first.attachments[0].name if not text and first.attachments else text


def _as_sent(data: CallModelData[Any]) -> ModelInputData:
    """What a model gets in each turn of its run."""
    sent = with_marked_outputs(with_json_arguments(data.model_data.input))
    return ModelInputData(sent, data.model_data.instructions)


async def _end_run(result: RunResultStreaming, turn: AgentTurn) -> None:
    """Cancel the agent's run, which closes the connection to the model, and end its tasks.

    After that the model makes no more tokens.
    """
    result.cancel()
    # The SDK's task that reads the tools' events waits for one more before it ends.
    await turn.stream(ProgressUpdateEvent(text=""))
    if result.run_loop_task is not None:
        with contextlib.suppress(BaseException):
            await result.run_loop_task
