"""Writes log lines in the formats of Lambda's own Python client, with the request id in each.

`AWS_LAMBDA_LOG_FORMAT` is `JSON` or text, `AWS_LAMBDA_LOG_LEVEL` is the root logger's level. If
Lambda provides a file descriptor for telemetry, each record is sent as one frame, so that a record
of several lines is one event in CloudWatch.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Any

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "aws_request_id"}
_TEXT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
_JSON_FRAME = 0xA55A0002
_TEXT_FRAME = 0xA55A0003


def _utc(seconds: float | None = None) -> time.struct_time:
    return time.gmtime(seconds)


class RequestIds(logging.Filter):
    """Adds the id of the current invocation to every record. One invocation runs at a time."""

    current = ""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.current
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object per line, with the field names of Lambda's own client."""

    converter = staticmethod(_utc)

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "timestamp": self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": record.__dict__.get("aws_request_id"),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["errorType"] = record.exc_info[0].__name__
            line["errorMessage"] = str(record.exc_info[1])
            line["stackTrace"] = self.formatException(record.exc_info).splitlines()
            line["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
        line.update((k, v) for k, v in vars(record).items() if k not in _STANDARD)
        return json.dumps(line, ensure_ascii=False, default=str) + "\n"


class TextFormatter(logging.Formatter):
    converter = staticmethod(_utc)

    def __init__(self) -> None:
        super().__init__(_TEXT, "%Y-%m-%dT%H:%M:%S")


class LambdaHandler(logging.Handler):
    def __init__(self, write: Callable[[str, logging.LogRecord], None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write(self.format(record), record)
        except Exception:  # noqa: BLE001 - logging's own contract
            self.handleError(record)


def set_up() -> RequestIds:
    """Set up the root logger. The returned filter has to be given each request's id."""
    as_json = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
    handler = LambdaHandler(_writer(_JSON_FRAME if as_json else _TEXT_FRAME))
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    ids = RequestIds()
    handler.addFilter(ids)
    root = logging.getLogger()
    root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    level = "DEBUG" if level == "TRACE" else level
    if level in logging.getLevelNamesMapping():
        root.setLevel(level)
    return ids


def _to_stdout(text: str, _record: logging.LogRecord) -> None:
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    sys.stdout.flush()


def _writer(frame: int) -> Callable[[str, logging.LogRecord], None]:
    descriptor = os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", "")
    try:
        fd = int(descriptor)
        os.fstat(fd)
    except (ValueError, OSError):
        return _to_stdout

    def write(text: str, record: logging.LogRecord) -> None:
        data = text.encode("utf-8", "replace")
        level = min(5, max(0, record.levelno // 10))
        kind = frame + 4 * (level + 1) if level else frame
        header = kind.to_bytes(4, "big") + len(data).to_bytes(4, "big")
        view = memoryview(header + (time.time_ns() // 1000).to_bytes(8, "big") + data)
        while view:
            view = view[os.write(fd, view) :]

    return write
