"""What has to be found out before a stream starts, because afterwards it is too late.

Errors inside a stream come after the 200, and the element re-sends a request
whose answer is a 5xx. So an unknown thread, a locked one, an item of the wrong
kind or a file that never arrived are refused here, and nothing is written.
"""

import asyncio
from dataclasses import dataclass, field

from chatkit.store import NotFoundError
from chatkit.types import (
    Attachment,
    ClientToolCallItem,
    StreamingReq,
    StructuredInputItem,
    ThreadItem,
    ThreadMetadata,
    ThreadsAddClientToolOutputReq,
    ThreadsAddStructuredInputReq,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
    ThreadsCustomActionReq,
    ThreadsRetryAfterItemReq,
    UserMessageInput,
    UserMessageItem,
)

from .. import aws
from ..attachments import AttachmentError, S3AttachmentStore
from ..attachments.arrival import Arrived
from ..context import RequestContext
from ..errors import ActionError, PublicError
from ..store import DynamoDBStore, Runs
from ..toolkit.dispatch import PreparedAction, check
from .turn_store import TurnStore


@dataclass
class Checked:
    """What the checks read on their way."""

    action: PreparedAction | None = None
    attachments: list[Attachment] = field(default_factory=list)
    arrived: list[Arrived] = field(default_factory=list)
    """Files that are to be kept when nothing else is against the message."""


class StreamChecks:
    """Checks for one request that is going to stream.

    `models` are the names that a visitor may ask for, `tools` those that the
    tool menu offers, `history` how many items the turn reads along.
    """

    def __init__(
        self,
        store: DynamoDBStore,
        attachments: S3AttachmentStore,
        runs: Runs,
        *,
        models: tuple[str, ...],
        tools: frozenset[str],
        history: int,
    ) -> None:
        self._store = store
        self._attachments = attachments
        self._runs = runs
        self._models = models
        self._tools = tools
        self._history = history

    async def check(
        self, request: StreamingReq, turn: TurnStore, context: RequestContext
    ) -> Checked:
        """Raises `PublicError`: 404 for what is not there, 409 for what it is too late for."""
        match request:
            case ThreadsCreateReq():
                message = await self._message(request.params.input, context)
                await self._free(message.attachments, turn, context)
                return message
            case ThreadsAddUserMessageReq():
                params = request.params
                message, _ = await asyncio.gather(
                    self._message(params.input, context),
                    self._open(turn, params.thread_id, context),
                )
                if any(
                    file.thread_id not in {None, params.thread_id} for file in message.attachments
                ):
                    raise PublicError(409, "This file belongs to another conversation.")
                return message
            case ThreadsAddClientToolOutputReq():
                await self._open(turn, request.params.thread_id, context)
                newest = next(iter(await turn.newest.all()), None)
                if not isinstance(newest, ClientToolCallItem) or newest.status != "pending":
                    raise PublicError(409, "No tool of the page is waiting for a result here.")
            case ThreadsAddStructuredInputReq():
                await self._open(turn, request.params.thread_id, context)
                item = await self._item(turn, request.params.item_id, context)
                if not isinstance(item, StructuredInputItem):
                    raise PublicError(422, "This item asks for nothing.")
                if item.status != "pending":
                    raise PublicError(409, "This was answered already.")
            case ThreadsRetryAfterItemReq():
                await self._open(turn, request.params.thread_id, context)
                item = await self._item(turn, request.params.item_id, context)
                if not isinstance(item, UserMessageItem):
                    raise PublicError(422, "Only a message of yours can be tried again.")
            case ThreadsCustomActionReq():
                await self._open(turn, request.params.thread_id, context)
                try:
                    return Checked(action=await check(request.params, self._store, context))
                except ActionError as error:
                    raise PublicError(error.status, error.message) from None
        return Checked()

    async def _open(
        self, turn: TurnStore, thread_id: str, context: RequestContext
    ) -> ThreadMetadata:
        try:
            thread = await turn.open(thread_id, self._history, context)
        except NotFoundError:
            raise PublicError(404, "This conversation does not exist.") from None
        if thread.status.type != "active":
            reason = getattr(thread.status, "reason", None)
            raise PublicError(409, reason or f"This conversation is {thread.status.type}.")
        return thread

    async def _item(self, turn: TurnStore, item_id: str, context: RequestContext) -> ThreadItem:
        try:
            return await turn.load_item(turn.run.thread_id, item_id, context)
        except NotFoundError:
            raise PublicError(404, "There is no such item in this conversation.") from None

    async def keep(self, checked: Checked) -> None:
        """Keep the message's files. Raises `PublicError` when one changed meanwhile."""
        try:
            await aws.together(*(self._attachments.keep(each) for each in checked.arrived))
        except AttachmentError as error:
            raise PublicError(422, error.message) from None

    async def _message(self, message: UserMessageInput, context: RequestContext) -> Checked:
        options = message.inference_options
        if options.model is not None and options.model not in self._models:
            raise PublicError(422, "There is no such model here.")
        if options.tool_choice is not None and options.tool_choice.id not in self._tools:
            raise PublicError(422, "There is no such tool here.")
        files = await asyncio.gather(*(self._file(name, context) for name in message.attachments))
        return Checked(
            attachments=[file for file, _ in files],
            arrived=[arrived for _, arrived in files if arrived is not None],
        )

    async def _free(
        self, files: list[Attachment], turn: TurnStore, context: RequestContext
    ) -> None:
        """A file is in one conversation: it goes when that does."""
        if all(file.thread_id is None for file in files):
            return
        # A request that is sent again finds its own file in its own conversation.
        if not await self._runs.has_begun(turn.run.id, context):
            raise PublicError(409, "This file belongs to another conversation.")

    async def _file(
        self, attachment_id: str, context: RequestContext
    ) -> tuple[Attachment, Arrived | None]:
        try:
            attachment = await self._store.load_attachment(attachment_id, context)
            arrived = await self._attachments.look(attachment, context)
        except NotFoundError:
            raise PublicError(404, "There is no such file.") from None
        except AttachmentError as error:
            raise PublicError(422, error.message) from None
        return attachment, arrived
