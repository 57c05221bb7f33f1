"""Logging without any text that users or models wrote.

The message of an exception may contain such text: pydantic quotes its input, and a provider's error
quotes the request. So a log entry has an exception's type, where it was raised, and only those
details that are known to be harmless.
"""

import logging
import os
import re
import traceback
from typing import Any

MAX_FRAMES = 12
"""The innermost frames of a traceback that are logged."""

NOT_LOGGED = {"RunAlreadyStarted", "RunCancelled", "StopAsyncIteration"}
"""Exceptions that the SDKs log although nothing failed: of a repeated request, of a run that was
stopped before it began, and of the task that reads events when a run is stopped."""


class SafeExceptions(logging.Filter):
    """Replaces every exception in a log record by its description.

    With `tracebacks`, a logged exception keeps its traceback and its message.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tracebacks = False

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if type(error).__name__ in NOT_LOGGED:
            return False
        if isinstance(record.msg, BaseException):
            record.msg, record.args = describe(record.msg), None
        elif isinstance(record.args, tuple):
            record.args = tuple(
                describe(arg) if isinstance(arg, BaseException) else arg for arg in record.args
            )
        if self.tracebacks:
            return True
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            record.msg = f"{record.getMessage()}: {describe(error)}\n{_frames(error)}"
            record.args = None
        record.exc_info = record.exc_text = None
        return True


def describe(error: BaseException) -> str:
    """The type of `error` and its harmless details: a status, an AWS error code."""
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


def name_or_dash(value: object) -> str:
    """`value` when it is a short name, such as a code or an id; `-` when it may be a sentence."""
    given = "" if value is None else str(value)
    return given if re.fullmatch(r"[\w.:/-]{1,100}", given, re.ASCII) else "-"


def _frames(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    return "\n".join(f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)


def configure() -> None:
    """Set up the root logger. In Lambda it already has the runtime's handler."""
    root = logging.getLogger()
    if not root.handlers:
        logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    root.setLevel(os.environ.get("CHATKIT_LOG_LEVEL", "INFO").upper())
    for handler in root.handlers:
        if not any(isinstance(known, SafeExceptions) for known in handler.filters):
            handler.addFilter(SafeExceptions())
    for name in (
        "chatkit",
        "httpx2",
        "httpcore2",
        "botocore",
        "urllib3",
        "openai",
        "openai.agents",
    ):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It logs what servers say, and ids of sessions. `functions.mcp` logs what failed.
    logging.getLogger("mcp").setLevel(logging.CRITICAL + 1)


def show_tracebacks() -> None:
    """Log exceptions whole from now on: `make dev`, whose only reader is the developer."""
    for handler in logging.getLogger().handlers:
        for known in handler.filters:
            if isinstance(known, SafeExceptions):
                known.tracebacks = True
