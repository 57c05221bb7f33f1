"""The turn of one streaming request: what an assistant's methods and tools get."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

from agents import Agent, Model, ModelProvider, TResponseInputItem, Usage
from chatkit.agents import ThreadItemConverter
from chatkit.server import stream_widget
from chatkit.types import (
    NoticeEvent,
    ThreadItem,
    ThreadMetadata,
    ThreadStreamEvent,
    UserMessageItem,
)
from pydantic import PrivateAttr, SkipValidation

from ..context import RequestContext
from ..limits.answer_use import AnswerUse
from ..limits.measures import Use
from ..llm.length import shorten, tokens
from ..llm.model_input import in_turns
from ..mcp.connections import Person, Reached
from ..mcp.servers import McpServer
from ..services import Services
from ..toolkit.agent_turn import AgentTurn
from ..toolkit.converter import Converter
from ..toolkit.thread_data import ThreadData, thread_data
from ..web.identity import Visitor
from . import agent_answer
from .history import trim_history
from .newest import NewestItems
from .run_store import RunStore


class ServedTurn(AgentTurn):
    """A `toolkit.Turn`. `models` are what the agents of the turn may name."""

    thread_data: SkipValidation[ThreadData[Any]]
    model: SkipValidation[Model]
    models: SkipValidation[ModelProvider]
    message: SkipValidation[UserMessageItem | None] = None
    tool_choice: str | None = None
    mcp_servers: SkipValidation[Sequence[McpServer]] = ()
    usage: SkipValidation[Usage]
    """The tokens of the answer, without those of its title."""

    _services: Services = PrivateAttr()
    _use: AnswerUse = PrivateAttr()
    _newest: NewestItems = PrivateAttr()
    _streamed: asyncio.Queue[ThreadStreamEvent | None] = PrivateAttr(default_factory=asyncio.Queue)
    """Events that are streamed while no agent runs."""
    _agents_running: int = PrivateAttr(default=0)
    _first_words: str = PrivateAttr(default="")
    _person: Person = PrivateAttr()
    """Who asks, with their token, for MCP servers that act for them."""
    _unreached: set[str] = PrivateAttr(default_factory=set)
    """The MCP servers of which the visitor was told that they do not answer."""

    @classmethod
    def of(
        cls,
        thread: ThreadMetadata,
        store: RunStore,
        context: RequestContext,
        *,
        services: Services,
        models: ModelProvider,
        use: AnswerUse,
        visitor: Visitor,
    ) -> "ServedTurn":
        assistant = services.assistant
        turn = cls(
            thread=thread,
            store=store,
            request_context=context,
            documents=services.documents(context),
            thread_data=thread_data(services.records, thread.id, context, assistant.thread_data),
            model=models.get_model(None),
            models=models,
            mcp_servers=services.settings.mcp_servers,
            usage=Usage(),
        )
        turn._services, turn._use, turn._newest = services, use, store.newest
        turn._person = Person(context.user_id, visitor.issuer_token, services.settings.oidc_token)
        return turn

    async def begin(self, message: UserMessageItem | None) -> None:
        """Take what the visitor asks, and their choice from the menu if it can be used here."""
        self.message = message
        self._first_words = _first_words(await self.history())
        choice = message.inference_options.tool_choice if message else None
        assistant = self._services.assistant
        usable = {tool.name for tool in assistant.tools_for(self)}
        if choice and choice.id in {*usable, *assistant.choices(self.request_context)}:
            self.tool_choice = choice.id

    @property
    def first_words(self) -> str:
        return self._first_words

    async def history(self) -> list[ThreadItem]:
        return trim_history(await self._newest.all(), self._services.settings.history_items)

    async def model_input(self) -> list[TResponseInputItem]:
        assistant = self._services.assistant
        first = [*await assistant.input_items(self)]
        told = await assistant.converter(self).to_agent_input(await self.history())
        room = max(self._services.settings.history_tokens - tokens(first), 0)
        return in_turns([*first, *shorten(told, room)])

    def converter(self) -> ThreadItemConverter:
        return Converter(self._services.attachments, self.request_context)

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
