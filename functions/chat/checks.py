"""What has to be found out before a stream starts, because afterwards it is too late.

An unknown thread, a locked one, an item of the wrong kind or a file that was never uploaded are
refused here, and nothing is written.
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

from ..attachments.arrival import Arrived
from ..context import RequestContext
from ..errors import PublicError
from ..services import Services
from ..toolkit.dispatch import PreparedAction, find_action, load_sender, read_payload
from .newest import NewestItems


@dataclass(frozen=True)
class Checked:
    """What the checks read, for the turn to begin with."""

    thread_id: str
    thread: ThreadMetadata | None
    """None for a new thread, which has only its id yet."""
    newest: NewestItems
    action: PreparedAction | None = None
    attachments: list[Attachment] = field(default_factory=list)
    arrived: list[Arrived] = field(default_factory=list)
    """Files to keep once nothing else is wrong with the message."""


async def check(
    request: StreamingReq, run_id: str, context: RequestContext, services: Services
) -> Checked:
    """Check a request that is going to stream.

    Raises `PublicError`: 404 for what is not there, 409 for what comes too late, 422 for what
    makes no sense.
    """
    match request:
        case ThreadsCreateReq(params=params):
            _check_options(params.input, services)
            files = await _files(params.input, context, services)
            await _check_files_are_free(files, run_id, context, services)
            return Checked(
                services.store.generate_thread_id(context),
                None,
                NewestItems(),
                None,
                *_split(files),
            )
        case ThreadsAddUserMessageReq(params=params):
            _check_options(params.input, services)
            files, (thread, newest) = await asyncio.gather(
                _files(params.input, context, services),
                _open(params.thread_id, context, services),
            )
            if any(file.thread_id not in {None, thread.id} for file, _ in files):
                raise PublicError(409, ELSEWHERE)
            return Checked(thread.id, thread, newest, None, *_split(files))
        case ThreadsCustomActionReq(params=params):
            action = find_action(params, services.assistant.actions)
            payload = read_payload(action, params)
            (thread, newest), sender = await asyncio.gather(
                _open(params.thread_id, context, services),
                load_sender(params, services.store, context),
            )
            documents = services.documents(context)
            prepared = PreparedAction(
                action, payload, thread, sender, services.store, documents, context
            )
            return Checked(thread.id, thread, newest, prepared)
    thread, newest = await _open(request.params.thread_id, context, services)
    await _check_item(request, newest, context, services)
    return Checked(thread.id, thread, newest)


ELSEWHERE = "This file belongs to another conversation."


async def _check_item(
    request: StreamingReq, newest: NewestItems, context: RequestContext, services: Services
) -> None:
    """Whether the item that a request is about is there and waits for it."""
    match request:
        case ThreadsAddClientToolOutputReq():
            last = next(iter(await newest.all()), None)
            if not isinstance(last, ClientToolCallItem) or last.status != "pending":
                raise PublicError(409, "No tool of the page is waiting for a result here.")
        case ThreadsAddStructuredInputReq(params=params):
            item = await _item(params.thread_id, params.item_id, newest, context, services)
            if not isinstance(item, StructuredInputItem):
                raise PublicError(422, "This item asks for nothing.")
            if item.status != "pending":
                raise PublicError(409, "This was answered already.")
        case ThreadsRetryAfterItemReq(params=params):
            item = await _item(params.thread_id, params.item_id, newest, context, services)
            if not isinstance(item, UserMessageItem):
                raise PublicError(422, "Only a message of yours can be tried again.")


async def _open(
    thread_id: str, context: RequestContext, services: Services
) -> tuple[ThreadMetadata, NewestItems]:
    """A thread that takes messages, and its newest items."""
    try:
        thread, read_items = await services.store.open_turn(
            thread_id, services.settings.history_items, context
        )
    except NotFoundError:
        raise PublicError(404, "This conversation does not exist.") from None
    if thread.status.type != "active":
        reason = getattr(thread.status, "reason", None)
        raise PublicError(409, reason or f"This conversation is {thread.status.type}.")
    return thread, NewestItems(read_items)


async def _item(
    thread_id: str,
    item_id: str,
    newest: NewestItems,
    context: RequestContext,
    services: Services,
) -> ThreadItem:
    for item in await newest.all():
        if item.id == item_id:
            return item
    try:
        return await services.store.load_item(thread_id, item_id, context)
    except NotFoundError:
        raise PublicError(404, "There is no such item in this conversation.") from None


def _check_options(message: UserMessageInput, services: Services) -> None:
    options = message.inference_options
    if options.model is not None and options.model not in services.models.names:
        raise PublicError(422, "There is no such model here.")
    names = {tool.name for tool in services.assistant.tools}
    if options.tool_choice is not None and options.tool_choice.id not in names:
        raise PublicError(422, "There is no such tool here.")


File = tuple[Attachment, Arrived | None]
"""An attachment, and what to keep of it unless it was kept before."""


async def _files(
    message: UserMessageInput, context: RequestContext, services: Services
) -> list[File]:
    return await asyncio.gather(
        *(_file(attachment_id, context, services) for attachment_id in message.attachments)
    )


async def _file(attachment_id: str, context: RequestContext, services: Services) -> File:
    try:
        attachment = await services.store.load_attachment(attachment_id, context)
        return attachment, await services.attachments.look(attachment, context)
    except NotFoundError:
        raise PublicError(404, "There is no such file.") from None


async def _check_files_are_free(
    files: list[File], run_id: str, context: RequestContext, services: Services
) -> None:
    """A file is in one conversation only, because it is deleted with it."""
    if all(file.thread_id is None for file, _ in files):
        return
    # A request that is sent again finds its own file in its own conversation.
    if not await services.runs.has_begun(run_id, context):
        raise PublicError(409, ELSEWHERE)


def _split(files: list[File]) -> tuple[list[Attachment], list[Arrived]]:
    return [file for file, _ in files], [arrived for _, arrived in files if arrived is not None]
