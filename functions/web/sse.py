"""Server-sent events, as ChatKit's element reads them."""

from chatkit.errors import CustomStreamError
from chatkit.types import ErrorEvent
from pydantic import BaseModel

from ..errors import PublicError
from .run_id import FAULT, with_run

KEEP_ALIVE = b": still here\n\n"
"""A comment, which keeps the connection open. The page ignores it."""


def to_json(value: BaseModel) -> bytes:
    """JSON as ChatKit's own server writes it: without nulls and without attachments' metadata."""
    return value.model_dump_json(
        by_alias=True, exclude_none=True, context={"exclude_metadata": True}
    ).encode()


def encode(event: BaseModel) -> bytes:
    """One server-sent event."""
    return b"data: " + to_json(event) + b"\n\n"


def error_event(error: Exception | str, run_id: str) -> ErrorEvent:
    """The event for an error: its message if the visitor may read it, else that there was one."""
    match error:
        case str():
            return ErrorEvent(message=error, allow_retry=True)
        case PublicError():
            return ErrorEvent(message=error.message)
        case CustomStreamError():
            return ErrorEvent(message=error.message, allow_retry=error.allow_retry)
    return ErrorEvent(message=with_run(FAULT, run_id), allow_retry=True)
