"""The toolkit's `Turn`, implemented with ChatKit's `AgentContext`."""

from typing import Any

from chatkit.agents import AgentContext, ClientToolCall
from chatkit.types import ProgressUpdateEvent
from pydantic import SkipValidation

from ..context import RequestContext
from .documents import Documents, ThreadData


class AgentTurn(AgentContext[RequestContext]):
    """The context that the Agents SDK passes to the tools."""

    documents: SkipValidation[Documents]

    @property
    def thread_data(self) -> ThreadData[Any]:
        return self.documents.of_thread(self.thread.id)

    async def progress(self, text: str, icon: Any = None) -> None:
        await self.stream(ProgressUpdateEvent(text=text, icon=icon))

    def call_client_tool(self, name: str, arguments: dict[str, Any]) -> None:
        self.client_tool_call = ClientToolCall(name=name, arguments=arguments)
