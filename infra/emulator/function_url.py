"""A Function URL: HTTP in, an event to the function, its answer out.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
"""

import asyncio
import base64
import json
import time
from typing import Any
from urllib.parse import parse_qsl

from infra.emulator import wire
from infra.emulator.function import Function, ThrottledError, TooLargeError
from infra.emulator.invocation import Begin, End, Invocation

DOMAIN = "abcdefghij.lambda-url.us-east-1.on.aws"
_INTEGRATION = "application/vnd.awslambda.http-integration-response"
_TEXT = ("text/", "application/json", "application/javascript", "application/xml")
_JSON = ("Content-Type", "application/json")


class FunctionUrl:
    """`streaming` is the invoke mode RESPONSE_STREAM; without it the mode is BUFFERED."""

    def __init__(self, function: Function, *, streaming: bool) -> None:
        self._function = function
        self._streaming = streaming

    async def handle(
        self,
        request: wire.Request,
        writer: asyncio.StreamWriter,
        *,
        body: bytes | None = None,
        scheme: str = "https",
    ) -> None:
        """Answer one request. Closes the connection when the answer breaks off."""
        try:
            body = await request.body() if body is None else body
            client = writer.get_extra_info("peername")[0]
            event = json.dumps(make_event(request, body, client, scheme)).encode()
            invocation = await self._function.invoke(event)
        except TooLargeError:
            await _answer(writer, 413, [_JSON], b'{"Message":"Request Entity Too Large"}')
            return
        except ThrottledError:
            await _answer(writer, 429, [_JSON], b'{"Message":"Rate Exceeded."}')
            return
        try:
            relay = _Relay(invocation, writer, bare=request.method == "HEAD")
            await (relay.streamed() if self._streaming else relay.buffered())
        except ConnectionError:
            writer.transport.abort()
        finally:
            invocation.abandon()


class _Relay:
    def __init__(self, invocation: Invocation, writer: asyncio.StreamWriter, *, bare: bool) -> None:
        self._invocation = invocation
        self._writer = writer
        self._bare = bare
        self._length: int | None = None

    async def streamed(self) -> None:
        """Read prelude, eight NULs and body. The head goes out with the body's first byte."""
        begin = await self._part()
        if not isinstance(begin, Begin):
            await self._function_error()
            return
        received = b""
        if begin.content_type == _INTEGRATION:
            while bytes(8) not in received:
                part = await self._part()
                if not isinstance(part, bytes):
                    await self._function_error()
                    return
                received += part
            prelude, _, received = received.partition(bytes(8))
            try:
                head = json.loads(prelude)
            except ValueError:
                await self._function_error()
                return
        else:
            head = {"statusCode": 200, "headers": {"content-type": "application/octet-stream"}}
        while not received:
            part = await self._part()
            if not isinstance(part, bytes):
                if part == End():
                    await self._hang()
                await self._function_error()
                return
            received = part
        self._head(head)
        await self._body(received)

    async def _body(self, part: bytes | Begin | End) -> None:
        while isinstance(part, bytes):
            if self._length is not None:
                self._length -= len(part)
            if not self._bare:
                self._writer.write(part if self._length is not None else wire.chunk(part))
                await self._writer.drain()
            part = await self._part()
        if part != End() or (not self._bare and self._length):
            self._writer.transport.abort()  # so that the caller sees that the answer is cut
        elif self._length is None and not self._bare:
            self._writer.write(b"0\r\n\r\n")
            await self._writer.drain()

    def _head(self, head: dict[str, Any]) -> None:
        status = int(head.get("statusCode", 200))
        headers = [(name, str(value)) for name, value in (head.get("headers") or {}).items()]
        headers += [("Set-Cookie", cookie) for cookie in head.get("cookies") or []]
        headers.append(("x-amzn-RequestId", self._invocation.request_id))
        lengths = [value for name, value in headers if name.lower() == "content-length"]
        self._bare = self._bare or status in {204, 304}
        if lengths:
            self._length = int(lengths[0])
        elif not self._bare:
            headers.append(("Transfer-Encoding", "chunked"))
        self._writer.write(wire.response(status, headers))

    async def _hang(self) -> None:
        """AWS keeps the caller waiting for minutes when an answer has no body at all."""
        await asyncio.sleep(15 * 60)

    async def buffered(self) -> None:
        parts: list[bytes] = []
        while not isinstance(part := await self._part(), End):
            if isinstance(part, bytes):
                parts.append(part)
        if part.error is not None:
            await self._function_error()
            return
        document = json.loads(b"".join(parts))
        if not isinstance(document, dict) or "statusCode" not in document:
            document = {"statusCode": 200, "headers": dict([_JSON]), "body": json.dumps(document)}
        body = (document.get("body") or "").encode()
        if document.get("isBase64Encoded"):
            body = base64.b64decode(body)
        headers = [
            (name, str(value))
            for name, value in (document.get("headers") or {}).items()
            if name.lower() != "content-length"
        ]
        headers += [("Set-Cookie", cookie) for cookie in document.get("cookies") or []]
        headers.append(("x-amzn-RequestId", self._invocation.request_id))
        await _answer(self._writer, int(document["statusCode"]), headers, body, bare=self._bare)

    async def _function_error(self) -> None:
        headers = [
            ("Content-Type", "text/plain"),
            ("x-amzn-RequestId", self._invocation.request_id),
        ]
        await _answer(self._writer, 502, headers, b"Internal Server Error", bare=self._bare)

    async def _part(self) -> Begin | bytes | End:
        return await self._invocation.answer.get()


async def _answer(
    writer: asyncio.StreamWriter,
    status: int,
    headers: wire.Headers,
    body: bytes,
    *,
    bare: bool = False,
) -> None:
    data = wire.response(status, headers, body)
    writer.write(data[: len(data) - len(body)] if bare else data)
    await writer.drain()


def make_event(request: wire.Request, body: bytes, client: str, scheme: str) -> dict[str, Any]:
    """The request in payload format 2.0."""
    path, _, query = request.target.partition("?")
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for raw_name, value in request.headers:
        name = raw_name.lower()
        if name == "cookie":
            cookies += [cookie.strip() for cookie in value.split(";")]
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    headers.pop("transfer-encoding", None)
    headers |= {
        "host": DOMAIN,
        "x-forwarded-for": client,
        "x-forwarded-port": "443" if scheme == "https" else "80",
        "x-forwarded-proto": scheme,
    }
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": DOMAIN.split(".", maxsplit=1)[0],
            "domainName": DOMAIN,
            "domainPrefix": DOMAIN.split(".", maxsplit=1)[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": client,
                "userAgent": request.header("user-agent"),
            },
            "requestId": "00000000-0000-0000-0000-000000000000",
            "routeKey": "$default",
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
            "timeEpoch": int(time.time() * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if query:
        event["queryStringParameters"] = dict(parse_qsl(query, keep_blank_values=True))
    if body:
        event["isBase64Encoded"] = not request.header("content-type").startswith(_TEXT)
        event["body"] = (
            base64.b64encode(body).decode()
            if event["isBase64Encoded"]
            else body.decode("utf-8", "replace")
        )
    return event
