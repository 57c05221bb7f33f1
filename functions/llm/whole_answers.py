r"""Joins half characters in what a provider sends, before the SDK reads it.

A provider that cuts its text between the two UTF-16 units of an emoji ends one piece with
`"\ud83d"` and begins the next with `"\ude00"`. The Agents SDK rejects both, so the answer would be
lost.
"""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

from httpx2 import AsyncByteStream, Response

from ..characters import has_half, whole, whole_json

_LAST_HALF = re.compile("[\ud800-\udbff]\\Z")

_Place = tuple[Any, ...]


async def make_whole(response: Response) -> None:
    """An event hook of an HTTP client. The response must not be compressed."""
    if isinstance(response.stream, AsyncByteStream) and "content-encoding" not in response.headers:
        response.stream = _WholeLines(response.stream)


class _WholeLines(AsyncByteStream):
    def __init__(self, stream: AsyncByteStream) -> None:
        self._stream = stream
        self._pieces = Pieces()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        rest = b""
        async for chunk in self._stream:
            *lines, rest = (rest + chunk).split(b"\n")
            if lines:
                yield b"".join(self._whole(line) + b"\n" for line in lines)
        if rest:
            yield self._whole(rest)

    def _whole(self, line: bytes) -> bytes:
        if line.startswith(b"data:") and (has_half(line) or self._pieces.waiting):
            return self._pieces.join(line)
        return whole_json(line)

    async def aclose(self) -> None:
        await self._stream.aclose()


class Pieces:
    """The events of one stream. Half a character at the end of a piece waits for the next one."""

    def __init__(self) -> None:
        self.waiting: dict[_Place, str] = {}

    def join(self, line: bytes) -> bytes:
        """A line `data: {…}` with whole characters only."""
        try:
            event = json.loads(line.removeprefix(b"data:"))
        except ValueError:
            return whole_json(line)
        kind = event.get("type") if isinstance(event, dict) else None
        return b"data: " + json.dumps(self._join(event, (kind,), in_delta=False)).encode()

    def _join(self, value: Any, place: _Place, *, in_delta: bool) -> Any:
        match value:
            case dict():
                # Parallel tool calls come one by one, and each says its index.
                place = (*place, value.get("index"), value.get("output_index"))
                return {
                    name: self._join(each, (*place, name), in_delta=in_delta or name == "delta")
                    for name, each in value.items()
                }
            case list():
                return [self._join(each, place, in_delta=in_delta) for each in value]
            case str() if value:
                text = self.waiting.pop(place, "") + value
                if in_delta and (half := _LAST_HALF.search(text)):
                    self.waiting[place] = half[0]
                    text = text[:-1]
                return whole(text)
        return value


def whole_event(event: Any) -> Any:
    """The event with whole characters in the arguments of its calls.

    Arguments are JSON inside JSON, which the Agents SDK reads when it is complete.
    """
    match event.type:
        case "response.output_item.done":
            return event.model_copy(update={"item": whole_arguments([event.item])[0]})
        case "response.completed" | "response.incomplete":
            output = whole_arguments(event.response.output)
            response = event.response.model_copy(update={"output": output})
            return event.model_copy(update={"response": response})
    return event


def whole_arguments(output: list[Any]) -> list[Any]:
    """The items of an answer with whole characters in the arguments of its calls."""
    return [
        item.model_copy(update={"arguments": whole_json((item.arguments or "").encode()).decode()})
        if item.type == "function_call"
        else item
        for item in output
    ]
