"""The turn of one streaming request: what an assistant's methods and tools get."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

from agents import Agent, Model, TResponseInputItem, Usage
from chatkit.server import stream_widget
from chatkit.types import (
    NoticeEvent,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    UserMessageItem,
)
from openai import AsyncOpenAI
from pydantic import Field, PrivateAttr, SkipValidation

from ..attachments import S3AttachmentStore
from ..context import RequestContext
from ..limits.answer_use import AnswerUse
from ..limits.measures import Use
from ..llm.client import model_client
from ..mcp.connections import Person, Reached
from ..mcp.servers import McpServer
from ..run_record import ToolCall
from ..services import Services
from ..toolkit.agent_turn import AgentTurn
from ..web.identity import Visitor
from . import agent_answer
from .cited import Citations
from .generated_images import stored_image
from .guards import Guards
from .kept_run import KeptRun
from .memory import Memory
from .models import TurnModels
from .newest import NewestItems
from .run_store import RunStore
from .searches import Searches


class ServedTurn(AgentTurn):
    """A `toolkit.Turn`. `models` are what the agents of the turn may name."""

    files: SkipValidation[S3AttachmentStore]
    model: SkipValidation[Model]
    models: SkipValidation[TurnModels]
    message: SkipValidation[UserMessageItem | None] = None
    tool_choice: str | None = None
    mcp_servers: SkipValidation[Sequence[McpServer]] = ()
    usage: SkipValidation[Usage]
    """The tokens of the answer, without those of its title."""
    waits: bool = False
    """Whether the answer waits for an approval."""
    tool_calls: SkipValidation[list[ToolCall]] = Field(default_factory=list)
    """The calls of tools of this turn that have ended, for the run's record."""

    _services: Services = PrivateAttr()
    _use: AnswerUse = PrivateAttr()
    _streamed: asyncio.Queue[ThreadStreamEvent | BaseException | None] = PrivateAttr(
        default_factory=asyncio.Queue
    )
    """Events that are streamed while no agent runs, and an error that ends the answer."""
    _agents_running: int = PrivateAttr(default=0)
    _first_words: str = PrivateAttr(default="")
    _newest: NewestItems = PrivateAttr()
    _memory: Memory = PrivateAttr()
    _person: Person = PrivateAttr()
    """Who asks, with their token, for MCP servers that act for them."""
    _unreached: set[str] = PrivateAttr(default_factory=set)
    """The MCP servers of which the visitor was told that they do not answer."""
    _guards: Guards = PrivateAttr()
    _kept_run: KeptRun | None = PrivateAttr(default=None)
    _searches: Searches | None = PrivateAttr(default=None)

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
        visitor: Visitor,
    ) -> "ServedTurn":
        turn = cls(
            thread=thread,
            store=store,
            request_context=context,
            documents=services.documents(context),
            files=services.attachments,
            model=models.get_model(None),
            models=models,
            mcp_servers=services.settings.mcp_servers,
            usage=Usage(),
        )
        turn._services, turn._use = services, use
        turn._newest = store.newest
        turn._memory = Memory(turn, services, store.newest)
        turn._person = Person(context.user_id, visitor.issuer_token, services.settings.oidc_token)
        if services.knowledge is not None:
            turn._searches = Searches(services.knowledge, context)
        turn._guards = Guards(turn, services.assistant.guardrails, services.attachments)
        return turn

    async def begin(self, message: UserMessageItem | None) -> None:
        """Take what the visitor asks, and their choice from the menu if it can be used here."""
        if self._kept_run is not None:
            message = await self._message_of(self._kept_run)
        self.message = message
        await self.memory.begin()
        if self._searches is not None:
            self._searches.begin(await self._newest.all())
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
        return await self.memory.history()

    async def model_input(self) -> list[TResponseInputItem]:
        return await self.memory.input_for(None)

    def reach(self, server: McpServer) -> Reached | None:
        """The server for whoever asks; `None` when it needs a token and they have not signed in.

        Raises `McpError`.
        """
        if server.exchange is not None and self._person.token is None:
            return None
        return self._services.mcp.reach(server, self._person)

    async def tell_unreached(self, server: McpServer) -> None:
        """Tell the visitor, once in an answer, that a server does not answer."""
        if server.name not in self._unreached:
            self._unreached.add(server.name)
            text = f"{server.name} does not answer right now. This answer may lack something."
            await self.stream(NoticeEvent(level="warning", message=text))

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
    def memory(self) -> Memory:
        """What a model gets of the conversation, and what is kept of this answer for the next."""
        return self._memory

    @property
    def guards(self) -> Guards:
        """The assistant's guardrails, for this answer."""
        return self._guards

    @property
    def knowledge(self) -> Searches | None:
        return self._searches

    def cited(self, events: AsyncIterator[ThreadStreamEvent]) -> AsyncIterator[ThreadStreamEvent]:
        """`events` with annotations in place of the marks that cite passages."""
        if self._searches is None:
            return events
        return Citations(self._searches.source_of).within(events)

    async def lacks_support(self) -> bool:
        """Whether documents were searched for the message, and no answer to it cites one."""
        return self._searches is not None and self._searches.lack(await self._newest.all())

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

    async def show_image(self, image: bytes) -> None:
        await self.stream(ThreadItemDoneEvent(item=await stored_image(image, self)))

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


def _first_words(history: list[ThreadItem]) -> str:
    """The first message's text, or the name of its first file; empty without a message."""
    first = next((item for item in history if isinstance(item, UserMessageItem)), None)
    if first is None:
        return ""
    text = " ".join(part.text for part in first.content).strip()
    return first.attachments[0].name if not text and first.attachments else text
