"""A small server that speaks OpenAI's API: Responses, chat completions, transcriptions.

Tests point `OPENAI_BASE_URL` at it. It answers with the steps that a test puts into
`script`, records the requests, and counts the clients that hang up.
"""

import asyncio
import base64
import itertools
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass
class Say:
    """A message, sent word by word.

    With a `gate`, the last word waits until the test opens it. With `dies_after`, the connection
    breaks after so many words, once the gate is open.
    """

    text: str
    gate: threading.Event | None = None
    dies_after: int | None = None

    @property
    def pieces(self) -> list[str]:
        words = self.text.split(" ")
        return [word + " " for word in words[:-1]] + words[-1:]


@dataclass
class SayUnits(Say):
    """A message, sent in pieces of one UTF-16 unit: an emoji is cut in two halves."""

    @property
    def pieces(self) -> list[str]:
        units = self.text.encode("utf-16-le", "surrogatepass")
        return [
            units[at : at + 2].decode("utf-16-le", "surrogatepass")
            for at in range(0, len(units), 2)
        ]


@dataclass
class Call:
    """A call of one of the agent's tools. Arguments that are text are sent as they are."""

    name: str
    arguments: dict[str, Any] | str = field(default_factory=dict)

    @property
    def json(self) -> str:
        if isinstance(self.arguments, str):
            return self.arguments
        return json.dumps(self.arguments)


class Calls(list):
    """Several calls in one answer (chat completions only)."""

    def __init__(self, *calls: Call) -> None:
        super().__init__(calls)


@dataclass
class Draw:
    """A generated image (Responses API only), after `partials` drafts of it."""

    data: bytes
    partials: int = 0


@dataclass
class Silence:
    """A stream without an event, as from a server that is not a model."""


@dataclass
class Fail:
    status: int
    message: str = "no"
    code: str | None = None


MODERATED = (
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit",
    "illicit/violent", "self-harm", "self-harm/instructions", "self-harm/intent", "sexual",
    "sexual/minors", "violence", "violence/graphic",
)  # fmt: skip

Step = Say | Call | Calls | Draw | Silence


class OpenAIServer:
    """It answers with the steps of `script`, in order, and repeats the last one.

    `requests` holds the requests for an answer. Requests for a title may come at any time and
    are not among them, nor those for a summary, which `summary` makes of the text that is asked
    for one. When it is `strict`, it refuses chat completions whose roles do not take turns, and
    calls whose arguments are no JSON, as the chat templates of some open models do.
    """

    strict = False
    ends_connections = False
    """Whether each request needs a connection of its own."""
    longest: int | None = None
    """Characters of input. A longer request gets `too_long`."""
    too_long = Fail(400, "Your input exceeds the context window.", "context_length_exceeded")

    def __init__(self, *script: Step | Fail, transcript: str = "hello there") -> None:
        self.script: list[Step | Fail] = list(script) or [Say("Hello from the test model.")]
        self.transcript = transcript
        self.title = "A fine title"
        self.summary: Callable[[str], str] = lambda _: "They talked."
        self.summarised: list[str] = []
        self.verdict = "no"
        """What is answered to a guardrail's question. Such requests are in `asked`."""
        self.asked: list[dict[str, Any]] = []
        self.flagged: list[str] = []
        """What the moderation flags."""
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.uploads: list[dict[str, Any]] = []
        self.hung_up = 0
        self.finished = 0
        self._answered = 0
        self.app = Starlette(
            routes=[
                Route("/v1/responses", self._responses, methods=["POST"]),
                Route("/v1/chat/completions", self._completions, methods=["POST"]),
                Route("/v1/audio/transcriptions", self._transcriptions, methods=["POST"]),
                Route("/v1/moderations", self._moderations, methods=["POST"]),
            ],
            middleware=[Middleware(_Connections, model=self)],
        )

    async def _next(self, request: Request) -> tuple[dict[str, Any], Step | Fail]:
        body = await request.json()
        self.headers.append(dict(request.headers))
        if (aside := self._aside(body)) is not None:
            return body, aside
        self.requests.append(body)
        if self.longest is not None and _length(body) > self.longest:
            return body, self.too_long
        step = self.script[min(self._answered, len(self.script) - 1)]
        self._answered += 1
        if self.strict and (problem := _out_of_turn(body["messages"])):
            return body, Fail(400, problem)
        return body, step

    def _aside(self, body: dict[str, Any]) -> Say | None:
        """The answer to a request for a title or a summary."""
        told = (body.get("instructions") or json.dumps(body.get("messages"))[:600]).lower()
        if body.get("tools") or not any(
            word in told for word in ("title", "summarise", "yes or no")
        ):
            return None
        if "yes or no" in told:
            self.asked.append(body)
            return Say(self.verdict)
        if "summarise" not in told:
            return Say(self.title)
        text = _text(body["input"][-1] if "input" in body else body["messages"][-1])
        self.summarised.append(text)
        return Say(self.summary(text))

    async def _responses(self, request: Request) -> Response:
        body, step = await self._next(request)
        if isinstance(step, Fail):
            return JSONResponse(
                {"error": {"message": step.message, "code": step.code}}, step.status
            )
        if not body.get("stream"):
            return _json(_response([_output(step, "msg_1")]))
        return self._stream(_responses_events(step), step)

    async def _completions(self, request: Request) -> Response:
        body, step = await self._next(request)
        if isinstance(step, Fail):
            return JSONResponse(
                {"error": {"message": step.message, "code": step.code}}, step.status
            )
        if not body.get("stream"):
            message = {"role": "assistant", "content": getattr(step, "text", "")}
            if isinstance(step, Call):
                function = {"name": step.name, "arguments": step.json}
                call = {"id": f"call_{next(_ids)}", "type": "function", "function": function}
                message["tool_calls"] = [call]
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            return _json(_completion({"choices": [choice]}, "chat.completion"))
        return self._stream(_completion_chunks(step), step)

    def _stream(self, events, step: Step) -> StreamingResponse:
        async def body():
            sent = 0
            try:
                for data, is_text in events:
                    if isinstance(step, Say) and is_text:
                        if step.dies_after is not None and sent >= step.dies_after:
                            await _opened(step.gate)
                            raise ConnectionError("as scripted")
                        sent += 1
                        if sent == len(step.pieces):
                            await _opened(step.gate)
                    yield data
                self.finished += 1
            except (asyncio.CancelledError, GeneratorExit):
                self.hung_up += 1
                raise

        return StreamingResponse(body(), media_type="text/event-stream")

    async def _moderations(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append(body)
        found = {name: name in self.flagged for name in MODERATED}
        result = {
            "flagged": any(found.values()),
            "categories": found,
            "category_scores": dict.fromkeys(MODERATED, 0.0),
            "category_applied_input_types": {name: ["text"] for name in MODERATED},
        }
        return JSONResponse({"id": "modr_1", "model": body["model"], "results": [result]})

    async def _transcriptions(self, request: Request) -> Response:
        form = await request.form()
        upload = form["file"]
        data = await upload.read()  # type: ignore[union-attr]
        fields = {key: value for key, value in form.items() if key != "file"}
        self.headers.append(dict(request.headers))
        self.uploads.append(
            {
                "name": upload.filename,  # type: ignore[union-attr]
                "type": upload.content_type,  # type: ignore[union-attr]
                "data": data,
                **fields,
            }
        )
        step = self.script[0]
        if isinstance(step, Fail):
            return JSONResponse(
                {"error": {"message": step.message, "code": step.code}}, step.status
            )
        return JSONResponse({"text": self.transcript})


def _text(message: dict[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def _length(body: dict[str, Any]) -> int:
    messages = [m for m in body.get("messages", body.get("input")) if m.get("role") != "system"]
    return len(json.dumps(messages))


def _out_of_turn(messages: list[dict[str, Any]]) -> str | None:
    spoken = [message for message in messages if message["role"] != "system"]
    if spoken[0]["role"] != "user":
        return "the conversation does not begin with the user"
    for call in itertools.chain.from_iterable(each.get("tool_calls", ()) for each in spoken):
        try:
            json.loads(call["function"]["arguments"])
        except ValueError:
            return "arguments are no JSON"
    for before, after in itertools.pairwise(spoken):
        if after["role"] == "tool":
            if before["role"] != "tool" and not before.get("tool_calls"):
                return "an output has no call"
        elif before.get("tool_calls"):
            return "a call has no output"
        elif before["role"] == "tool" and after["role"] == "user":
            return "unexpected role user after role tool"
        elif before["role"] == after["role"]:
            return f"{after['role']} speaks twice"
    return None


async def _opened(gate: threading.Event | None) -> None:
    while gate is not None and not gate.is_set():  # noqa: ASYNC110 - the test is in another thread
        await asyncio.sleep(0.01)


def _json(value: dict[str, Any]) -> Response:
    """With escapes, so that it can hold half a character."""
    return Response(json.dumps(value), media_type="application/json")


class _Connections:
    """Ends a connection after its answer, where the model says so."""

    def __init__(self, app: ASGIApp, model: "OpenAIServer") -> None:
        self._app = app
        self._model = model

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and self._model.ends_connections:
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        await self._app(scope, receive, sent)


_ids = itertools.count(1)


def _output(step: Step, item_id: str) -> dict[str, Any]:
    if isinstance(step, Say):
        content = [{"type": "output_text", "text": step.text, "annotations": []}]
        return {
            "id": item_id, "type": "message", "role": "assistant", "status": "completed",
            "content": content,
        }  # fmt: skip
    if isinstance(step, Draw):
        result = base64.b64encode(step.data).decode()
        return {"id": item_id, "type": "image_generation_call", "status": "completed",
                "result": result}  # fmt: skip
    return {
        "id": item_id, "type": "function_call", "call_id": f"call_{next(_ids)}",
        "name": step.name, "arguments": step.json, "status": "completed",
    }  # fmt: skip


def _response(output: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": f"resp_{next(_ids)}", "object": "response", "created_at": 0, "model": "test",
        "status": "completed", "output": output, "parallel_tool_calls": False,
        "tool_choice": "auto", "tools": [],
        "usage": {
            "input_tokens": 10, "output_tokens": 5, "total_tokens": 15,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }  # fmt: skip


def _responses_events(step: Step):
    """Pairs: the bytes of an event, and whether it carries a piece of the text."""
    item_id = f"msg_{next(_ids)}"
    output = _output(step, item_id)
    numbers = itertools.count()

    def event(kind: str, **fields: Any) -> bytes:
        data = {"type": kind, "sequence_number": next(numbers), **fields}
        return f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()

    place = {"item_id": item_id, "output_index": 0, "content_index": 0}
    yield event("response.created", response=_response([])), False
    if isinstance(step, Call):
        started = {**output, "arguments": "", "status": "in_progress"}
        yield event("response.output_item.added", item=started, output_index=0), False
        yield event("response.output_item.done", item=output, output_index=0), False
    elif isinstance(step, Draw):
        started = {"id": item_id, "type": "image_generation_call", "status": "in_progress"}
        yield event("response.output_item.added", item=started, output_index=0), False
        for number in range(step.partials):
            draft = {"item_id": item_id, "output_index": 0, "partial_image_index": number}
            kind = "response.image_generation_call.partial_image"
            yield event(kind, partial_image_b64=output["result"], **draft), False
        yield event("response.output_item.done", item=output, output_index=0), False
    else:
        empty = {**output, "content": [], "status": "in_progress"}
        part = {"type": "output_text", "text": "", "annotations": []}
        yield event("response.output_item.added", item=empty, output_index=0), False
        yield event("response.content_part.added", part=part, **place), False
        for piece in step.pieces:
            yield event("response.output_text.delta", delta=piece, logprobs=[], **place), True
        yield event("response.output_text.done", text=step.text, logprobs=[], **place), False
        yield event("response.output_item.done", item=output, output_index=0), False
    yield event("response.completed", response=_response([output])), False


def _completion(fields: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 0, "model": "test", **fields}


def _completion_chunks(step: Step):
    if isinstance(step, Silence):
        return

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        data = _completion({"choices": [choice]}, "chat.completion.chunk")
        return f"data: {json.dumps(data)}\n\n".encode()

    yield chunk({"role": "assistant", "content": ""}), False
    if isinstance(step, Call | Calls):
        for index, each in enumerate([step] if isinstance(step, Call) else step):
            function = {"name": each.name, "arguments": each.json}
            numbers = {"index": index, "id": f"call_{next(_ids)}"}
            call = {**numbers, "type": "function", "function": function}
            yield chunk({"tool_calls": [call]}), False
        yield chunk({}, "tool_calls"), False
    else:
        for piece in step.pieces:
            yield chunk({"content": piece}), True
        yield chunk({}, "stop"), False
    yield b"data: [DONE]\n\n", False
