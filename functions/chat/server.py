"""The ChatKit server: how one message is answered."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import openai
from agents import (
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    Model,
    OutputGuardrailTripwireTriggered,
    RunConfig,
    Runner,
    RunResultStreaming,
)
from chatkit.actions import Action
from chatkit.agents import stream_agent_response
from chatkit.errors import CustomStreamError
from chatkit.server import ChatKitServer, agents_sdk_user_agent_override
from chatkit.types import (
    AssistantMessageItem,
    ProgressUpdateEvent,
    SDKHiddenContextItem,
    ThreadItem,
    ThreadMetadata,
    ThreadStreamEvent,
    UserMessageItem,
    WidgetItem,
)

from ..assistant.agent import MAX_TURNS, build_agent
from ..assistant.titles import title_for
from ..attachments import S3AttachmentStore
from ..context import RequestContext
from ..errors import ActionError
from ..llm.failure import in_words
from ..llm.refused_files import RetryWithoutFiles
from ..settings import Settings
from ..toolkit.dispatch import PreparedAction
from ..toolkit.documents import AssistantData
from ..toolkit.tools import AssistantContext
from .answer import StopReason
from .generated_images import GeneratedImages
from .history import Converter, within_budget
from .item_ids import RunIds
from .meter import Meter
from .turn_store import TurnStore
from .unfinished import kept

_STOPPED: dict[StopReason, str] = {
    "visitor": "The user cancelled the stream. Stop responding to the prior request.",
    "deadline": "The answer was cut off because it took too long.",
    "shutdown": "The answer was cut off because the server restarted.",
}


@dataclass(frozen=True)
class _Ready:
    """An agent's run that is held before it asks the model."""

    history: list[ThreadItem]
    context: AssistantContext
    result: RunResultStreaming


class AssistantServer(ChatKitServer[RequestContext]):
    """Answers one streaming request; made for it, and for no other.

    `store` is the request's own view of the table, `files` are what the visitor attached
    and the model drew, `data` is what the assistant knows of them. Once the request is
    checked it is given the `model` that answers, and the action to run (`prepared`), if any.
    """

    store: TurnStore

    def __init__(
        self,
        store: TurnStore,
        *,
        files: S3AttachmentStore,
        data: AssistantData,
        settings: Settings,
    ) -> None:
        super().__init__(store)
        self.stopped: StopReason = "visitor"
        self.model: Model
        self.prepared: PreparedAction | None = None
        self._files = files
        self._data = data
        self._settings = settings
        self._meter = Meter()

    async def respond(
        self,
        thread: ThreadMetadata,
        input_user_message: UserMessageItem | None,
        context: RequestContext,
    ) -> AsyncIterator[ThreadStreamEvent]:
        self.store.check_quota()
        ready = await self._begin(thread, input_user_message, context)
        result, agent_context = ready.result, ready.context
        agent_context.thread = thread  # the one whose changes the SDK looks for
        naming = self._name(thread, ready.history)
        ids = RunIds(
            lambda kind: self.store.generate_item_id(kind, thread, context), self.store.minted
        )
        try:
            images = GeneratedImages(self._files, thread.id, context)
            answer = stream_agent_response(agent_context, result, converter=images)
            answered = False
            async for event in kept(ids.rewrite(answer)):
                answered = True
                self._meter.see(event)
                yield event
            if not answered:
                # What a server that is no model sends: a web page, where `/v1` was forgotten.
                raise CustomStreamError("The model answered nothing at all.", allow_retry=True)
            if naming is not None:
                await self.store.name_thread(thread, await naming, context)
        except openai.APIError as error:
            raise in_words(error) or error from None
        except MaxTurnsExceeded:
            raise CustomStreamError(
                "This took more steps than allowed. Try to ask for less at once.", allow_retry=True
            ) from None
        except (InputGuardrailTripwireTriggered, OutputGuardrailTripwireTriggered):
            raise CustomStreamError("That is something I cannot help with here.") from None
        finally:
            # Stopping means that no more tokens are paid for: cancelling the run
            # closes the connection to the model. Nothing of it may stay behind.
            if naming is not None:
                naming.cancel()
            result.cancel()
            # The SDK's reader of the tools' events still waits for one: let it go.
            await agent_context.stream(ProgressUpdateEvent(text=""))
            if result.run_loop_task is not None:
                with contextlib.suppress(BaseException):
                    await result.run_loop_task
            self._meter.report(result.context_wrapper.usage)

    async def _begin(
        self, thread: ThreadMetadata, message: UserMessageItem | None, context: RequestContext
    ) -> _Ready:
        """Run the agent up to its request to the model, which leaves when the message is written
        and is answered when `respond` is there.
        """
        history = within_budget(
            await self.store.newest.all(),
            items=self._settings.history_items,
            characters=self._settings.history_characters,
        )
        agent_context = AssistantContext(
            thread=thread, store=self.store, request_context=context, data=self._data
        )
        options = message.inference_options if message else None
        tool_choice = options.tool_choice.id if options and options.tool_choice else None
        given = await Converter(self._files, context).to_agent_input(history)
        with agents_sdk_user_agent_override():
            result = Runner.run_streamed(
                build_agent(RetryWithoutFiles(self.model), tool_choice),
                given,
                context=agent_context,
                max_turns=MAX_TURNS,
                # Lambda freezes the thread that would export traces.
                run_config=RunConfig(tracing_disabled=True),
            )
        return _Ready(history, agent_context, result)

    def _name(self, thread: ThreadMetadata, history: list[ThreadItem]) -> asyncio.Task[str] | None:
        """A title on its way, for a thread that has none, while the answer streams."""
        first = next((item for item in history if isinstance(item, UserMessageItem)), None)
        if thread.title is not None or first is None:
            return None
        text = " ".join(part.text for part in first.content).strip()
        if not text and first.attachments:
            text = first.attachments[0].name
        return asyncio.create_task(title_for(text, self.model))

    def action(
        self,
        thread: ThreadMetadata,  # noqa: ARG002 - the SDK's signature
        action: Action[str, Any],  # noqa: ARG002
        sender: WidgetItem | None,  # noqa: ARG002
        context: RequestContext,  # noqa: ARG002
    ) -> AsyncIterator[ThreadStreamEvent]:
        return self._act()

    async def _act(self) -> AsyncIterator[ThreadStreamEvent]:
        if self.prepared is None:
            raise TypeError("an action is checked before it streams")
        try:
            async for event in self.prepared.run(self.respond):
                yield event
        except ActionError as error:
            raise CustomStreamError(error.message) from None

    async def handle_stream_cancelled(
        self, thread: ThreadMetadata, pending_items: list[ThreadItem], context: RequestContext
    ) -> None:
        """Keep what there is of the answer, and note why there is no more."""
        for item in pending_items:
            if isinstance(item, AssistantMessageItem) and any(
                part.text.strip() for part in item.content
            ):
                await self.store.add_thread_item(thread.id, item, context)
        await self.store.add_thread_item(
            thread.id,
            SDKHiddenContextItem(
                id=self.store.generate_item_id("sdk_hidden_context", thread, context),
                thread_id=thread.id,
                created_at=datetime.now(),  # noqa: DTZ005 - naive, as the SDK's own items are
                content=_STOPPED[self.stopped],
            ),
            context,
        )
