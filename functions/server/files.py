"""The files of a request, checked before its stream starts, while a 4xx can still be sent."""

from typing import Any, Final

from chatkit.store import NotFoundError, Store
from chatkit.types import Attachment, ChatKitReq, ThreadsAddUserMessageReq, ThreadsCreateReq
from pydantic import TypeAdapter, ValidationError

from .. import aws
from ..attachments import S3AttachmentStore
from ..attachments.arrival import Arrived
from ..errors import PublicError

ELSEWHERE: Final = "This file belongs to another conversation."

_REQUEST: TypeAdapter[ChatKitReq] = TypeAdapter(ChatKitReq)

File = tuple[Attachment, Arrived | None]
"""An attachment, and its upload unless that was copied to `files/` before."""


async def check_files(
    request: str | bytes | bytearray | ChatKitReq,
    context: Any,
    store: Store[Any],
    attachments: S3AttachmentStore | None = None,
) -> None:
    """Check that the files of a request can be sent, before its stream starts.

    `request` is the body, or the request that was parsed from it. A request without files costs
    nothing; each file costs a read of its record and, with `attachments`, two requests to S3, in
    parallel with the others. Nothing is written: `DynamoDBStore(bucket=…)` keeps the files while
    it saves the message.

    Raises `PublicError`: 404 for a file that does not exist or is another user's, 409 for one that
    belongs to another conversation, 400 for a body that is no ChatKit request. With `attachments`
    also `AttachmentError`: 409 when a file was not uploaded, 415 when it is not what it claims to
    be.
    """
    if isinstance(request, str | bytes | bytearray):
        try:
            request = _REQUEST.validate_json(request)
        except ValidationError:
            raise PublicError(400, "The body is not a ChatKit request.") from None
    match request:
        case ThreadsCreateReq(params=params):
            thread_id = None
        case ThreadsAddUserMessageReq(params=params):
            thread_id = params.thread_id
        case _:
            return
    files = await look_at_all(params.input.attachments, context, store, attachments)
    check_free(files, thread_id)


async def look_at_all(
    ids: list[str], context: Any, store: Store[Any], attachments: S3AttachmentStore | None
) -> list[File]:
    """The files with these ids. Raises `PublicError` as `check_files` says; writes nothing."""
    return await aws.together(*(_look(each, context, store, attachments) for each in ids))


async def _look(
    attachment_id: str, context: Any, store: Store[Any], attachments: S3AttachmentStore | None
) -> File:
    try:
        attachment = await store.load_attachment(attachment_id, context)
        arrived = await attachments.look(attachment, context) if attachments else None
    except NotFoundError:
        raise PublicError(404, "There is no such file.") from None
    return (attachment, None) if arrived is None else (arrived.attachment, arrived)


def check_free(files: list[File], thread_id: str | None) -> None:
    """Raise `PublicError` when a file is in another conversation; None is one that is new."""
    if any(file.thread_id not in {None, thread_id} for file, _ in files):
        raise PublicError(409, ELSEWHERE)
