"""A model server that sends streams exactly as a test writes them.

It plays what providers send beside the plain answers of `OpenAIServer`.
"""

import asyncio
import json
import threading
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from tests.support.openai_server import OpenAIServer


@dataclass
class Events:
    """The events of one stream, in the order in which they are sent.

    With a `gate`, the stream then waits until the test opens it. With `dies`, the connection breaks
    at the end.
    """

    events: list[dict[str, Any]]
    gate: threading.Event | None = None
    dies: bool = False


@dataclass
class Refuse:
    """A refusal with a whole body of an error. With `together`, it waits for others of its kind."""

    status: int
    body: dict[str, Any]
    together: asyncio.Barrier | None = None


class DialectServer(OpenAIServer):
    """Its `script` may also have `Events` and `Refuse`."""

    async def _responses(self, request: Request) -> Response:
        return await self._play(request) or await super()._responses(request)

    async def _completions(self, request: Request) -> Response:
        return await self._play(request) or await super()._completions(request)

    async def _play(self, request: Request) -> Response | None:
        step: Any = self.script[min(self._answered, len(self.script) - 1)]
        if not isinstance(step, Events | Refuse) or self._aside(await request.json()) is not None:
            return None
        await self._next(request)
        if isinstance(step, Refuse):
            if step.together is not None:
                await step.together.wait()
            return JSONResponse(step.body, step.status)
        return StreamingResponse(_lines(step), media_type="text/event-stream")


async def _lines(step: Events):
    for event in step.events:
        yield f"data: {json.dumps(event)}\n\n"
    while step.gate is not None and not step.gate.is_set():  # noqa: ASYNC110 - another thread's
        await asyncio.sleep(0.01)
    if step.dies:
        raise ConnectionError("as scripted")


def response(*output: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A response of the Responses API with these output items."""
    return {
        "id": "resp_d", "object": "response", "created_at": 0, "model": "test",
        "status": "completed", "output": [*output], "parallel_tool_calls": True,
        "tool_choice": "auto", "tools": [], **more,
    }  # fmt: skip


def numbered(*events: dict[str, Any]) -> Events:
    """Events of the Responses API, with their numbers."""
    return Events([{"sequence_number": n, **event} for n, event in enumerate(events)])


def message(*content: dict[str, Any]) -> dict[str, Any]:
    """A message item of the Responses API."""
    return {
        "id": "msg_d", "type": "message", "role": "assistant", "status": "completed",
        "content": [*content],
    }  # fmt: skip


def message_events(*deltas: dict[str, Any], content: list[dict[str, Any]], index: int = 0) -> list:
    """The events of a message whose parts are `content`; `deltas` are sent in between."""
    place = {"item_id": "msg_d", "output_index": index}
    done = message(*content)
    return [
        {"type": "response.output_item.added", "output_index": index,
         "item": {**done, "status": "in_progress", "content": []}},
        *({**place, "content_index": 0, **delta} for delta in deltas),
        {"type": "response.output_item.done", "output_index": index, "item": done},
    ]  # fmt: skip


def reasoning_events(text: str) -> list[dict[str, Any]]:
    """The events of a reasoning item with this summary, as the first item of a response."""
    item = {"id": "rs_d", "type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}
    place = {"item_id": "rs_d", "output_index": 0, "summary_index": 0}
    kind = "response.reasoning_summary_text"
    return [
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "summary": []}},
        {**place, "type": f"{kind}.delta", "delta": text},
        {**place, "type": f"{kind}.done", "text": text},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
    ]


def chunks(*deltas: dict[str, Any], finish: str = "stop") -> Events:
    """The chunks of a chat completion."""
    base = {"id": "chatcmpl-d", "object": "chat.completion.chunk", "created": 0, "model": "test"}
    sent = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    sent.append({"index": 0, "delta": {}, "finish_reason": finish})
    return Events([{**base, "choices": [choice]} for choice in sent])
