"""A mixin for `ChatKitServer`."""

from typing import Any, Protocol, runtime_checkable

from anyio import CancelScope
from chatkit.server import ChatKitServer
from chatkit.store import NotFoundError, TContext
from chatkit.types import FeedbackKind, ThreadItem, ThreadMetadata

from .cancelled import keep_cancelled


@runtime_checkable
class FeedbackStore(Protocol):
    """The method of `DynamoDBStore` and `MemoryStore` that stores feedback."""

    async def save_feedback(
        self, thread_id: str, item_ids: list[str], kind: FeedbackKind | None, context: Any
    ) -> None: ...


class ServerMixin(ChatKitServer[TContext]):
    """What a server should do that the SDK leaves out: `class Server(ServerMixin, ChatKitServer)`.

    It needs no settings and adds no routes. Its methods can be called by `super()`.
    """

    async def handle_stream_cancelled(
        self, thread: ThreadMetadata, pending_items: list[ThreadItem], context: TContext
    ) -> None:
        """Store what there is of the answer, and a note for the model: see `keep_cancelled`.

        When a client leaves, starlette cancels by anyio, which cancels the task again whenever it
        awaits something (https://anyio.readthedocs.io/en/stable/cancellation.html). So each write
        would be cancelled, too. The shield lets them end; they take as long as the store allows.
        """
        with CancelScope(shield=True):
            await keep_cancelled(self.store, thread, pending_items, context)

    async def add_feedback(
        self, thread_id: str, item_ids: list[str], feedback: FeedbackKind, context: TContext
    ) -> None:
        """Store a thumb up or down with `save_feedback`, if the store has that method.

        Raises `NotFoundError` for an unknown thread or item.
        """
        if not isinstance(self.store, FeedbackStore):
            return
        try:
            await self.store.save_feedback(thread_id, item_ids, feedback, context)
        except ValueError:
            # The id is too long to be stored, so no item has it.
            raise NotFoundError("an item of the feedback was not found") from None
