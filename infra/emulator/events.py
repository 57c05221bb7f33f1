"""Invocations that do not come from a Function URL."""

import base64
import json
from datetime import datetime
from typing import Any

from infra.emulator.function import Function
from infra.emulator.invocation import End

Event = dict[str, Any]


class EventError(Exception):
    """The function failed. AWS delivers the event again."""


async def deliver(function: Function, event: Event) -> Event | None:
    """Invoke a function with an event of a stream or of S3, and return what it answers.

    Raises `EventError`, and what `Function.invoke` raises.
    """
    invocation = await function.invoke(json.dumps(event, default=_in_json).encode())
    answer = b""
    while not isinstance(part := await invocation.answer.get(), End):
        if isinstance(part, bytes):
            answer += part
    if part.error is not None:
        raise EventError(part.error)
    handled: Event | None = json.loads(answer)
    return handled


def _in_json(value: object) -> object:
    """A value of a stream's record as AWS writes it in an event."""
    match value:
        case datetime():
            return value.timestamp()
        case bytes():
            return base64.b64encode(value).decode()
    raise TypeError(f"no event has a {type(value).__name__}")


def get(target: str) -> bytes:
    """A GET in payload format 2.0, with the fields that a runtime needs."""
    path, _, query = target.partition("?")
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {},
        "requestContext": {"http": {"method": "GET", "sourceIp": "127.0.0.1"}},
    }
    return json.dumps(event, separators=(",", ":")).encode()
