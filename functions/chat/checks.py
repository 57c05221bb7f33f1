"""Checks a streaming request before its stream starts, while a 4xx can still be sent.

Rejects an unknown or locked thread, an item of the wrong kind, and a file that was never uploaded.
Writes nothing.
"""

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
from ..attachments.arrival import Arrived
from ..context import RequestContext
from ..errors import PublicError
from ..server.files import ELSEWHERE, File, check_free, look_at_all
from ..services import Services
from ..toolkit.dispatch import PreparedAction, check_active, find_action, load_sender, read_payload
from .newest import NewestItems


@dataclass(frozen=True)
class Checked:
    """What the checks read. The run starts with it, so that nothing is read twice."""

    thread_id: str
    thread: ThreadMetadata | None
    """None for a new thread, which has only an id yet."""
    newest: NewestItems
    action: PreparedAction | None = None
    attachments: list[Attachment] = field(default_factory=list)
    arrived: list[Arrived] = field(default_factory=list)
    """Uploaded files to copy to `files/` when all checks have passed."""


async def check(
    request: StreamingReq, run_id: str, context: RequestContext, services: Services
) -> Checked:
    """Check a streaming request.

    Raises `PublicError`: 404 when something does not exist, 409 when its state does not allow the
    request, 422 when the request is invalid.
    """
    match request:
        case ThreadsCreateReq(params=params):
            _check_options(params.input, context, services)
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
            _check_options(params.input, context, services)
            files, (thread, newest) = await aws.together(
                _files(params.input, context, services),
                _open(params.thread_id, context, services),
            )
            check_free(files, thread.id)
            return Checked(thread.id, thread, newest, None, *_split(files))
        case ThreadsCustomActionReq(params=params):
            action = find_action(params, services.assistant.actions)
            payload = read_payload(action, params)
            (thread, newest), sender = await aws.together(
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


async def _check_item(
    request: StreamingReq, newest: NewestItems, context: RequestContext, services: Services
) -> None:
    """Raise `PublicError` unless the request's item exists and expects this request."""
    match request:
        case ThreadsAddClientToolOutputReq():
            last = next(iter(await newest.all()), None)
            if not isinstance(last, ClientToolCallItem) or last.status != "pending":
                raise PublicError(409, "No tool of the page is waiting for a result here.")
        case ThreadsAddStructuredInputReq(params=params):
            item = await _item(params.thread_id, params.item_id, newest, context, services)
            if not isinstance(item, StructuredInputItem):
                raise PublicError(422, "This item has no questions to answer.")
            if item.status != "pending":
                raise PublicError(409, "This was answered already.")
        case ThreadsRetryAfterItemReq(params=params):
            item = await _item(params.thread_id, params.item_id, newest, context, services)
            if not isinstance(item, UserMessageItem):
                raise PublicError(422, "Only a message of yours can be tried again.")


async def _open(
    thread_id: str, context: RequestContext, services: Services
) -> tuple[ThreadMetadata, NewestItems]:
    """The thread and its newest items. Raises `PublicError` unless the thread is active."""
    try:
        thread, read_items = await services.store.open_turn(
            thread_id, services.settings.history_items, context
        )
    except NotFoundError:
        raise PublicError(404, "This conversation does not exist.") from None
    check_active(thread)
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


def _check_options(message: UserMessageInput, context: RequestContext, services: Services) -> None:
    """What the user's roles do not allow is answered like what does not exist."""
    options = message.inference_options
    if options.model is not None and options.model not in services.models.names_for(context):
        raise PublicError(422, "There is no such model here.")
    menu = services.assistant.menu(context)
    if options.tool_choice is not None and options.tool_choice.id not in menu:
        raise PublicError(422, "There is no such tool here.")


async def _files(
    message: UserMessageInput, context: RequestContext, services: Services
) -> list[File]:
    return await look_at_all(message.attachments, context, services.store, services.attachments)


async def _check_files_are_free(
    files: list[File], run_id: str, context: RequestContext, services: Services
) -> None:
    """Raise `PublicError` when a file is in another conversation, which may be deleted."""
    if all(file.thread_id is None for file, _ in files):
        return
    # A repeated request finds its files in the conversation that it has created.
    if await services.runs.find(run_id, context) is None:
        raise PublicError(409, ELSEWHERE)


def _split(files: list[File]) -> tuple[list[Attachment], list[Arrived]]:
    return [file for file, _ in files], [arrived for _, arrived in files if arrived is not None]
