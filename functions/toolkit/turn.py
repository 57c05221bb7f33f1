"""`Turn`: what a tool, and the instructions of an agent, know of the message being answered."""

from collections.abc import AsyncGenerator
from typing import Any, Protocol

from chatkit.store import Store, StoreItemType
from chatkit.types import ThreadMetadata, ThreadStreamEvent
from chatkit.widgets import WidgetRoot

from ..context import RequestContext
from .documents import Documents


class Turn(Protocol):
    """One message that is being answered. Every tool gets it as its first argument.

    It is ChatKit's `AgentContext` and a little more, so whatever ChatKit's documentation does
    with an `AgentContext` works here too (workflows, for instance).
    """

    thread: ThreadMetadata
    """The conversation. What a tool changes in its `metadata` or `title` is saved."""

    request_context: RequestContext
    """Who asks (`user_id`), in which language (`locale`), from which page (`page`)."""

    store: Store[RequestContext]
    """The conversations of the person who asks, and of nobody else."""

    documents: Documents
    """What the assistant keeps for this person: see `Document`."""

    async def stream(self, event: ThreadStreamEvent) -> None:
        """Send one of ChatKit's events to the page; items that are done are stored."""

    async def stream_widget(
        self,
        widget: WidgetRoot | AsyncGenerator[WidgetRoot, None],
        copy_text: str | None = None,
    ) -> None:
        """Show a widget, or one that grows, and store it in the conversation."""

    async def progress(self, text: str, icon: Any = None) -> None:
        """Show what is being done right now. `icon` is one of ChatKit's names, such as `search`."""

    def call_client_tool(self, name: str, arguments: dict[str, Any]) -> None:
        """Let the page do something when this tool returns: its `onClientTool` gets the call.

        The tool must be declared with `@tool(ends_turn=True)`. The assistant goes on with what
        the page returns.
        """

    def generate_id(self, type: StoreItemType, thread: ThreadMetadata | None = None) -> str:  # noqa: A002 - ChatKit's name
        """A new id for an item that a tool makes itself."""
