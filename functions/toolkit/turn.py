"""`Turn`: the message that is being answered, as tools and an assistant's methods see it."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from chatkit.store import Store, StoreItemType
from chatkit.types import ThreadItem, ThreadMetadata, ThreadStreamEvent, UserMessageItem
from chatkit.widgets import WidgetRoot

from ..attachments import S3AttachmentStore
from ..context import RequestContext
from ..mcp.servers import McpServer
from .documents import Documents, ThreadData

if TYPE_CHECKING:
    from agents import Agent, Model, TResponseInputItem
    from openai import AsyncOpenAI

    from ..knowledge.search import Found


class KnowledgeOfTurn(Protocol):
    """The documents that the user of a turn may see: those of nobody and of their tenant, by their
    roles.
    """

    async def search(
        self, query: str, *, tags: Collection[str] = (), top: int = 6
    ) -> "list[Found]":
        """The best passages for a query, best first: by meaning and by words.

        With `tags` only those of documents that have one of them. What it returns may be cited in
        this conversation from here on: `[[k:<passage id>]]` in the assistant's words.
        """


class Turn(Protocol):
    """One message that is being answered. Every tool gets it as its first argument.

    It extends ChatKit's `AgentContext`, so everything that ChatKit's documentation does with an
    `AgentContext` (workflows, for instance) works here too.
    """

    # What is asked, and by whom.

    thread: ThreadMetadata
    """The conversation. Changes of its `metadata` or `title` are saved."""

    message: UserMessageItem | None
    """The message that is answered; None after an action, and after a tool of the page."""

    request_context: RequestContext
    """The user (`user_id`), their language (`locale`) and their page (`page`). Of people who have
    signed in also `name`, `email`, `tenant` and `roles`."""

    tool_choice: str | None
    """What the visitor picked from the page's tool menu: a tool that can be used here, or one of
    `Assistant.choices`."""

    @property
    def first_words(self) -> str:
        """The text of the conversation's first message, or the name of its first file."""

    # What is stored.

    store: Store[RequestContext]
    """The store of conversations. It returns only those of this user."""

    files: S3AttachmentStore
    """The files of the user's messages."""

    documents: Documents
    """The documents that the assistant stores for this user: see `Document`."""

    @property
    def knowledge(self) -> KnowledgeOfTurn | None:
        """The documents of `knowledge/`, as this user may search them; None where none are indexed
        (`CHATKIT_KNOWLEDGE`).
        """

    @property
    def thread_data(self) -> ThreadData[Any]:
        """What the assistant stores for this conversation: see `Assistant.thread_data`."""

    async def history(self) -> list[ThreadItem]:
        """The newest items of the conversation, oldest first, ending with what is answered.

        Without the hidden items that the engine keeps for `model_input`.
        """

    # What the page gets.

    async def stream(self, event: ThreadStreamEvent) -> None:
        """Send an event to the page. The item of a `ThreadItemDoneEvent` is stored."""

    async def stream_widget(
        self,
        widget: WidgetRoot | AsyncGenerator[WidgetRoot, None],
        copy_text: str | None = None,
    ) -> None:
        """Show a widget, which may grow (a generator), and store it in the conversation."""

    async def show_image(self, image: bytes) -> None:
        """Show an image (PNG, JPEG, GIF or WebP), and store it with the conversation.

        The model sees it in later turns. Raises `ValueError` for other bytes.
        """

    async def progress(self, text: str, icon: Any = None) -> None:
        """Show a progress message. `icon` is the name of an icon of ChatKit's, such as `search`."""

    def call_client_tool(self, name: str, arguments: dict[str, Any]) -> None:
        """Call a tool of the page, by its `onClientTool`, after this tool has returned.

        Declare this tool with `@tool(ends_turn=True)`. The assistant continues with the result
        that the page returns.
        """

    def generate_id(self, type: StoreItemType, thread: ThreadMetadata | None = None) -> str:  # noqa: A002 - ChatKit's name
        """A new id for an item that a tool creates."""

    # The model, and an answer of the Agents SDK.

    mcp_servers: Sequence[McpServer]
    """The servers of the setting `CHATKIT_MCP_SERVERS`: see `Assistant.mcp_servers`."""

    model: "Model"
    """The model that the settings or the visitor chose. Its tokens are counted."""

    def model_named(self, name: str) -> "Model":
        """Another model of the settings' provider, by its name. Its tokens are counted, too."""

    async def openai_client(self) -> "AsyncOpenAI":
        """A client of the provider's API with its key, for calls such as moderation. No limit
        counts them: call models by `model` and `model_named`. The client is shared, so do not
        close it.
        """

    def run_agent(self, agent: "Agent[Any] | None" = None) -> AsyncIterator[ThreadStreamEvent]:
        """The answer of an agent, of `Assistant.agent_for` by default, to `model_input()`."""

    async def model_input(self) -> "list[TResponseInputItem]":
        """The history as a model's input, within the budget of tokens, after
        `Assistant.input_items`: with what tools returned, and a summary of what is older.
        """

    def count_tokens(self, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> None:
        """Count tokens of a model that was called without `model`, for the limits and the log.

        They cost what the chosen model costs.
        """
