"""`Turn`: the message that is being answered, as tools and an agent's instructions see it."""

from collections.abc import AsyncGenerator
from typing import Any, Protocol

from chatkit.store import Store, StoreItemType
from chatkit.types import ThreadMetadata, ThreadStreamEvent
from chatkit.widgets import WidgetRoot

from ..context import RequestContext
from .documents import Documents


class Turn(Protocol):
    """One message that is being answered. Every tool gets it as its first argument.

    It extends ChatKit's `AgentContext`, so everything that ChatKit's documentation does with an
    `AgentContext` (workflows, for instance) works here too.
    """

    thread: ThreadMetadata
    """The conversation. Changes of its `metadata` or `title` are saved."""

    request_context: RequestContext
    """The user (`user_id`), their language (`locale`) and their page (`page`). Of people who have
    signed in also `name`, `email`, `tenant` and `roles`."""

    store: Store[RequestContext]
    """The store of conversations. It returns only those of this user."""

    documents: Documents
    """The documents that the assistant stores for this user: see `Document`."""

    async def stream(self, event: ThreadStreamEvent) -> None:
        """Send an event to the page. The item of a `ThreadItemDoneEvent` is stored."""

    async def stream_widget(
        self,
        widget: WidgetRoot | AsyncGenerator[WidgetRoot, None],
        copy_text: str | None = None,
    ) -> None:
        """Show a widget, which may grow (a generator), and store it in the conversation."""

    async def progress(self, text: str, icon: Any = None) -> None:
        """Show a progress message. `icon` is the name of an icon of ChatKit's, such as `search`."""

    def call_client_tool(self, name: str, arguments: dict[str, Any]) -> None:
        """Call a tool of the page, by its `onClientTool`, after this tool has returned.

        Declare this tool with `@tool(ends_turn=True)`. The assistant continues with the result
        that the page returns.
        """

    def generate_id(self, type: StoreItemType, thread: ThreadMetadata | None = None) -> str:  # noqa: A002 - ChatKit's name
        """A new id for an item that a tool creates."""
