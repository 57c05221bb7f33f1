"""Server-sent events, as ChatKit's element reads them."""

from chatkit.errors import CustomStreamError, ErrorCode
from chatkit.types import ErrorEvent
from pydantic import BaseModel

from ..errors import PublicError

KEEP_ALIVE = b": still here\n\n"
"""A comment: it keeps the connection open and means nothing to the page."""


def to_json(value: BaseModel) -> bytes:
    """A value of ChatKit's as its own server writes it: no nulls, no attachment's metadata."""
    return value.model_dump_json(
        by_alias=True, exclude_none=True, context={"exclude_metadata": True}
    ).encode()


def encode(event: BaseModel) -> bytes:
    """One server-sent event."""
    return b"data: " + to_json(event) + b"\n\n"


def error_event(error: Exception | str) -> ErrorEvent:
    """What the page shows of an error: its words where it has some for people, else ChatKit's."""
    match error:
        case str():
            return ErrorEvent(message=error, allow_retry=True)
        case PublicError():
            return ErrorEvent(message=error.message)
        case CustomStreamError():
            return ErrorEvent(message=error.message, allow_retry=error.allow_retry)
    return ErrorEvent(code=ErrorCode.STREAM_ERROR, allow_retry=True)
