"""The log of `make dev` as a file, in which `make logs` and `make run` look.

A line is its time in Unix milliseconds, a space, and what the function would log in AWS. So it has
no words of people, which the tracebacks on the console may have.
"""

import logging
import os
from collections.abc import Iterator
from contextvars import ContextVar
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final
from uuid import uuid4

from starlette.types import ASGIApp, Receive, Scope, Send

from functions.lambda_stream.logs import JsonFormatter
from functions.telemetry import SafeExceptions

LOG_VARIABLE: Final = "CHATKIT_LOCAL_LOG"
"""The variable with the path of the file."""
MAX_BYTES: Final = 5_000_000
"""Of the file, and of the one before it, which is kept too."""

_request: ContextVar[str] = ContextVar("request", default="")


class RequestIds:
    """Gives each request an id, as Lambda does, which its lines have."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            _request.set(uuid4().hex)
        await self._app(scope, receive, send)


class _PrivateFile(RotatingFileHandler):
    """Only this account can read the file."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        super().__init__(path, maxBytes=MAX_BYTES, backupCount=1, encoding="utf-8")

    def doRollover(self) -> None:  # noqa: N802 - its name in `logging`
        super().doRollover()
        Path(self.baseFilename).chmod(0o600)


class _Formatter(JsonFormatter):
    def format(self, record: logging.LogRecord) -> str:
        record.aws_request_id = _request.get()
        return f"{round(record.created * 1000)} {super().format(record).rstrip()}"


def log_to_file() -> None:
    """Log to the file that the variable names, if there is one, besides the console."""
    path = os.environ.get(LOG_VARIABLE)
    if not path:
        return
    handler = _PrivateFile(Path(path))
    handler.setFormatter(_Formatter())
    handler.addFilter(SafeExceptions())
    # The last one, because its filter takes from the record what the console shows.
    logging.getLogger().addHandler(handler)


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """The times (Unix milliseconds) and the texts of the lines, in order."""
    for each in (path.with_name(f"{path.name}.1"), path):
        try:
            text = each.read_text("utf-8", errors="replace")
        except FileNotFoundError:
            continue
        for line in text.splitlines():
            at, _, said = line.partition(" ")
            if at.isdigit():
                yield int(at), said
