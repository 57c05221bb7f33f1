"""Logging that can be read by machines and holds no one's words.

Exceptions carry more than one thinks: pydantic quotes its input, a provider's
error quotes the request. So a log entry has an exception's type, where it was
raised, and only such words of it as are known to be harmless.
"""

import logging
import os
import traceback
from typing import Any

FRAMES = 12
"""The innermost frames of a traceback that are kept."""


NO_ERRORS = {"RunAlreadyStarted", "RunCancelled", "StopAsyncIteration"}
"""What the SDKs log as errors and is none: a request that was sent again, a run that was stopped
before it began, and the reader that waited for events when a run was stopped."""


class SafeExceptions(logging.Filter):
    """Replaces an exception, wherever in a record, by its description."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if type(error).__name__ in NO_ERRORS:
            return False
        if isinstance(record.msg, BaseException):
            record.msg, record.args = describe(record.msg), None
        elif isinstance(record.args, tuple):
            record.args = tuple(
                describe(arg) if isinstance(arg, BaseException) else arg for arg in record.args
            )
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            record.msg = f"{record.getMessage()}: {describe(error)}\n{_frames(error)}"
            record.args = None
        record.exc_info = record.exc_text = None
        return True


def describe(error: BaseException) -> str:
    """The type of `error` and what is harmless of it: a status, an AWS error code."""
    parts = [type(error).__name__]
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        parts.append(f"status={status}")
    response: Any = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore's ClientError
        parts.append(f"code={response.get('Error', {}).get('Code')}")
        parts.append(f"operation={getattr(error, 'operation_name', None)}")
    if error.__cause__ is not None:
        parts.append(f"from {describe(error.__cause__)}")
    return " ".join(parts)


def _frames(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return "\n".join(f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)


def configure() -> None:
    """Set up the root logger, once. In Lambda the runtime has put its handler there already."""
    root = logging.getLogger()
    if not root.handlers:
        logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    root.setLevel(os.environ.get("CHATKIT_LOG_LEVEL", "INFO").upper())
    for handler in root.handlers:
        if not any(isinstance(known, SafeExceptions) for known in handler.filters):
            handler.addFilter(SafeExceptions())
    for chatty in (
        "chatkit",
        "httpx2",
        "httpcore2",
        "botocore",
        "urllib3",
        "openai",
        "openai.agents",
    ):
        logging.getLogger(chatty).setLevel(logging.WARNING)
