"""Requests to an ASGI app in this process, without a socket."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message


class Refused(Exception):  # noqa: N818 - an outcome
    """The app refused a request: `status` is 400 or above, `message` is what the visitor reads."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


@dataclass
class Answer:
    """What the app sent, and when each piece of it came, in seconds since the request."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    pieces: list[tuple[float, bytes]] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        return b"".join(piece for _, piece in self.pieces)

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    def events(self) -> list[tuple[float, dict[str, Any]]]:
        """The server-sent events, each with the time at which it was complete."""
        found, line = [], b""
        for seconds, piece in self.pieces:
            for part in piece.splitlines(keepends=True):
                line += part
                if not line.endswith(b"\n"):
                    continue
                if line.startswith(b"data: "):
                    found.append((seconds, json.loads(line[6:])))
                line = b""
        return found


async def send(
    app: ASGIApp,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: Any = None,
) -> Answer:
    """Send one request and wait for the whole answer. `target` is a path, with a query or without.

    `body` is sent as JSON. Raises `Refused` for a status of 400 or above.
    """
    answer, started = Answer(), time.perf_counter()
    content = b"" if body is None else json.dumps(body).encode()
    path, _, query = target.partition("?")
    sent = {"host": "localhost", "content-length": str(len(content)), **headers}
    if body is not None:
        sent["content-type"] = "application/json"
    messages: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await asyncio.Event().wait()  # the page stays
        raise AssertionError

    async def take(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            seconds = time.perf_counter() - started
            answer.pieces.append((seconds, message.get("body", b"")))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(k.lower().encode(), v.encode()) for k, v in sent.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }
    await app(scope, receive, take)
    if answer.status >= 400:  # noqa: PLR2004 - HTTP
        raise Refused(answer.status, _message(answer))
    return answer


def _message(answer: Answer) -> str:
    try:
        return str(answer.json["message"])
    except (ValueError, KeyError, TypeError):
        return answer.body.decode(errors="replace")[:500]
