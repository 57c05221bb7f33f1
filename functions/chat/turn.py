"""The turn of one streaming request: what an assistant's methods and tools get."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from agents import Agent, Model, TResponseInputItem, Usage
from chatkit.server import stream_widget
from chatkit.types import ThreadItem, ThreadMetadata, ThreadStreamEvent, UserMessageItem
from openai import AsyncOpenAI
from pydantic import PrivateAttr, SkipValidation

from ..attachments import S3AttachmentStore
from ..context import RequestContext
from ..limits.answer_use import AnswerUse
from ..limits.measures import Use
from ..llm.client import model_client
from ..llm.length import shorten, tokens
from ..llm.model_input import in_turns, with_marked_outputs
from ..services import Services
from ..toolkit.agent_turn import AgentTurn
from . import agent_answer
from .guards import Guards
from .history import trim_history, without_withheld
from .kept_run import KeptRun
from .models import TurnModels
from .newest import NewestItems
from .own_items import is_own, just_after, own_item
from .run_store import RunStore
from .summaries import SECONDS, Older, Recent
from .tool_memory import Calls, content_of, in_places, with_calls

logger = logging.getLogger(__name__)


class ServedTurn(AgentTurn):
    """A `toolkit.Turn`. `models` are what the agents of the turn may name."""

    files: SkipValidation[S3AttachmentStore]
    model: SkipValidation[Model]
    models: SkipValidation[TurnModels]
    message: SkipValidation[UserMessageItem | None] = None
    tool_choice: str | None = None
    usage: SkipValidation[Usage]
    """The tokens of the answer, without those of its title."""
    waits: bool = False
    """Whether the answer waits for an approval."""

    _services: Services = PrivateAttr()
    _use: AnswerUse = PrivateAttr()
    _newest: NewestItems = PrivateAttr()
    _streamed: asyncio.Queue[ThreadStreamEvent | BaseException | None] = PrivateAttr(
        default_factory=asyncio.Queue
    )
    """Events that are streamed while no agent runs, and an error that ends the answer."""
    _agents_running: int = PrivateAttr(default=0)
    _first_words: str = PrivateAttr(default="")
    _answered: ThreadItem | None = PrivateAttr(default=None)
    """The newest item when the turn began."""
    _runs: int = PrivateAttr(default=0)
    _to_keep: list[ThreadItem] = PrivateAttr(default_factory=list)
    _older: Older | None = PrivateAttr(default=None)
    _guards: Guards = PrivateAttr()
    _kept_run: KeptRun | None = PrivateAttr(default=None)

    @classmethod
    def of(
        cls,
        thread: ThreadMetadata,
        store: RunStore,
        context: RequestContext,
        *,
        services: Services,
        models: TurnModels,
        use: AnswerUse,
    ) -> "ServedTurn":
        turn = cls(
            thread=thread,
            store=store,
            request_context=context,
            documents=services.documents(context),
            files=services.attachments,
            model=models.get_model(None),
            models=models,
            usage=Usage(),
        )
        turn._services, turn._use, turn._newest = services, use, store.newest
        turn._guards = Guards(turn, services.assistant.guardrails, services.attachments)
        return turn

    async def begin(self, message: UserMessageItem | None) -> None:
        """Take what the visitor asks, and their choice from the menu if it can be used here."""
        if self._kept_run is not None:
            message = await self._message_of(self._kept_run)
        self.message = message
        self._answered = next(iter(await self._newest.all()), None)
        self._first_words = _first_words(await self.history())
        choice = message.inference_options.tool_choice if message else None
        assistant = self._services.assistant
        usable = {tool.name for tool in assistant.tools_for(self)}
        if choice and choice.id in {*usable, *assistant.choices(self.request_context)}:
            self.tool_choice = choice.id

    def go_on_with(self, run: KeptRun) -> None:
        """Go on with a run that has waited, instead of answering anew."""
        self._kept_run = run

    def take_kept_run(self) -> KeptRun | None:
        """The run to go on with, for the first agent that the assistant runs."""
        run, self._kept_run = self._kept_run, None
        return run

    @property
    def goes_on(self) -> bool:
        """Whether the turn has a run to go on with."""
        return self._kept_run is not None

    async def _message_of(self, run: KeptRun) -> UserMessageItem | None:
        """The message that a run answers. Its choice of a model holds for all of the run."""
        for item in await self.history():
            if isinstance(item, UserMessageItem) and item.id == run.message:
                name = item.inference_options.model
                if name in self._services.models.names_for(self.request_context):
                    self.models = self.models.choosing(name)
                    self.model = self.models.get_model(None)
                return item
        return None

    @property
    def first_words(self) -> str:
        return self._first_words

    async def history(self) -> list[ThreadItem]:
        return [item for item in await self._whole_history() if not is_own(item)]

    async def _whole_history(self) -> list[ThreadItem]:
        items = without_withheld(await self._newest.all())
        return trim_history(items, self._services.settings.history_items)

    async def model_input(self) -> list[TResponseInputItem]:
        return await self.input_for(None)

    async def input_for(self, model: str | Model | None) -> list[TResponseInputItem]:
        """`model_input` for an agent with this `model`; `None` for the chosen one."""
        assistant, settings = self._services.assistant, self._services.settings
        history = await self._whole_history()
        recent = Recent.of(history)
        first = [*await assistant.input_items(self), *recent.told()]
        items, calls = in_places(recent.items, self.models.full_name(model))
        told = with_calls(await assistant.converter(self).to_agent_input(items), calls)
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
        if calls and self._answered is not None:
            self._runs += 1
            at = just_after(self._answered, self._runs)
            item_id = self.generate_id("sdk_hidden_context")
            content = content_of(calls, self.models.full_name(model))
            self._to_keep.append(own_item(item_id, self.thread.id, at, content))

    async def keep(self) -> None:
        """Store what is to be remembered. It never raises: the answer stays as it is."""
        while self._to_keep:
            try:
                await self.store.add_thread_item(
                    self.thread.id, self._to_keep.pop(0), self.request_context
                )
            except Exception:
                logger.exception("what the tools returned was not kept")

    def forget(self) -> None:
        """Keep nothing of an answer that a guardrail has ended."""
        self._to_keep.clear()

    @property
    def summary_is_due(self) -> bool:
        return self._older is not None

    async def summarise(self) -> None:
        """Make the summary that is due, and store it. It never raises."""
        if (due := self._older) is None:
            return
        assistant, settings = self._services.assistant, self._services.settings
        limit, context = settings.history_tokens, self.request_context
        try:
            async with asyncio.timeout(SECONDS):
                older = await due.with_beginning(self.store, settings.history_items, context)
                text = await older.text(assistant.converter(self), limit)
                summary = await assistant.summary(self, text)
            if summary.strip():
                item_id = self.generate_id("sdk_hidden_context")
                content = older.content(summary, limit)
                item = own_item(item_id, self.thread.id, older.place, content)
                await self.store.add_thread_item(self.thread.id, item, context)
        except Exception as error:  # noqa: BLE001 - the next turn tries again
            logger.warning("no summary was made: %s", type(error).__name__)

    async def run_agent(self, agent: Agent[Any] | None = None) -> AsyncIterator[ThreadStreamEvent]:
        self._agents_running += 1
        try:
            async with aclosing(agent_answer.run(self, agent, self._services)) as events:
                async for event in events:
                    yield event
        finally:
            self._agents_running -= 1

    def count_tokens(self, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> None:
        self._use.end_call(Use(), input_tokens, output_tokens, cached_tokens)
        self.usage.add(Usage(1, input_tokens, output_tokens=output_tokens))

    def model_named(self, name: str) -> Model:
        return self.models.get_model(name)

    async def openai_client(self) -> AsyncOpenAI:
        models = self._services.models.models
        chosen = next((each for each in models if each.provider == "openai"), models[0])
        return model_client(chosen.endpoint, await chosen.api_key())

    @property
    def guards(self) -> Guards:
        """The assistant's guardrails, for this answer."""
        return self._guards

    def interrupt(self, error: BaseException) -> None:
        """End the answer with an error, which `merged` raises."""
        self._streamed.put_nowait(error)

    # While an agent runs, the SDK merges what tools stream with what the model says. Otherwise
    # `merged` does.

    async def stream(self, event: ThreadStreamEvent) -> None:
        if self._agents_running:
            await super().stream(event)
        else:
            self._streamed.put_nowait(event)

    async def stream_widget(self, widget: Any, copy_text: str | None = None) -> None:
        async for event in stream_widget(self.thread, widget, copy_text, self.generate_id):
            await self.stream(event)

    async def merged(
        self, events: AsyncIterator[ThreadStreamEvent]
    ) -> AsyncIterator[ThreadStreamEvent]:
        """`events`, and what is streamed meanwhile. The iterator is cancelled with this one."""

        async def take() -> None:
            try:
                async for event in events:
                    self._streamed.put_nowait(event)
            finally:
                self._streamed.put_nowait(None)

        taking = asyncio.create_task(take())
        try:
            while (event := await self._streamed.get()) is not None:
                if isinstance(event, BaseException):
                    raise event
                yield event
            await taking
        finally:
            taking.cancel()
            await asyncio.wait({taking})


def _newest_message(items: list[ThreadItem]) -> ThreadItem:
    return next(item for item in reversed(items) if isinstance(item, UserMessageItem))


def _first_words(history: list[ThreadItem]) -> str:
    """The first message's text, or the name of its first file; empty without a message."""
    first = next((item for item in history if isinstance(item, UserMessageItem)), None)
    if first is None:
        return ""
    text = " ".join(part.text for part in first.content).strip()
    return first.attachments[0].name if not text and first.attachments else text
