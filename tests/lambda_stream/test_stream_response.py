"""The bytes of a streamed answer, over a real pair of sockets."""

import asyncio
import base64
import json
import socket

import pytest

from functions.lambda_stream.context import Context
from functions.lambda_stream.http1 import Connection
from functions.lambda_stream.response import Response

CONTEXT = Context.from_headers(
    {"lambda-runtime-aws-request-id": "r-1", "lambda-runtime-invocation-id": "i-1"}
)


@pytest.fixture
async def wire():
    """A response, and a function that reads the bytes that were sent so far."""
    here, there = socket.socketpair()
    here.setblocking(False)
    response = Response(Connection(here, "127.0.0.1:9001"), CONTEXT)

    async def arrived() -> bytes:
        here.shutdown(socket.SHUT_WR)
        reader, writer = await asyncio.open_connection(sock=there)
        data = await reader.read()
        writer.close()
        return data

    yield response, arrived
    here.close()
    there.close()


async def test_head_prelude_and_chunks_are_as_lambda_documents_them(wire):
    response, arrived = wire
    headers = [(b"Content-Type", b"text/plain"), (b"Set-Cookie", b"a=1"), (b"set-cookie", b"b=2")]
    await response.start(201, headers, bare=False)
    await response.write(b"hello")
    await response.end()
    head, _, body = (await arrived()).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /2018-06-01/runtime/invocation/r-1/response HTTP/1.1"
    assert "Host: 127.0.0.1:9001" in lines
    assert "Content-Type: application/vnd.awslambda.http-integration-response" in lines
    assert "Lambda-Runtime-Function-Response-Mode: streaming" in lines
    assert "Transfer-Encoding: chunked" in lines
    assert "Lambda-Runtime-Invocation-Id: i-1" in lines
    assert "Trailer: Lambda-Runtime-Function-Error-Type" in lines
    assert "Trailer: Lambda-Runtime-Function-Error-Body" in lines
    size, _, rest = body.partition(b"\r\n")
    first, rest = rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    prelude, _, nothing = first.partition(bytes(8))
    assert json.loads(prelude) == {
        "statusCode": 201,
        "headers": {"content-type": "text/plain"},
        "cookies": ["a=1", "b=2"],
    }
    assert nothing == b""
    assert rest == b"5\r\nhello\r\n0\r\n\r\n"


async def test_an_empty_answer_is_sent_as_one_byte_without_a_length(wire):
    response, arrived = wire
    await response.start(200, [(b"content-length", b"0")], bare=False)
    await response.write(b"")
    await response.end()
    data = await arrived()
    assert data.endswith(b"1\r\n\n\r\n0\r\n\r\n")
    assert b"content-length" not in data


async def test_a_broken_answer_ends_with_the_error_and_no_traceback(wire):
    response, arrived = wire
    await response.start(200, [], bare=False)
    await response.write(b"half")
    await response.fail(RuntimeError("went\r\nwrong"))
    _, _, end = (await arrived()).partition(b"4\r\nhalf\r\n")
    trailers = dict(line.split(b": ", 1) for line in end.split(b"\r\n") if b": " in line)
    assert end.startswith(b"0\r\n")
    assert end.endswith(b"\r\n\r\n")
    assert trailers[b"Lambda-Runtime-Function-Error-Type"] == b"RuntimeError"
    error = json.loads(base64.b64decode(trailers[b"Lambda-Runtime-Function-Error-Body"]))
    assert error["errorMessage"] == "went\r\nwrong"
    assert error["stackTrace"] == []


async def test_headers_of_more_than_16_kb_are_refused(wire):
    response, _ = wire
    with pytest.raises(ValueError, match="16,384"):
        await response.start(200, [(b"x-big", b"x" * 17_000)], bare=False)


async def test_a_writer_waits_while_its_reader_does_not_read(wire):
    response, _ = wire
    await response.start(200, [], bare=False)

    async def write_on() -> None:
        while True:
            await response.write(b"x" * 65_536)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(write_on(), 0.2)
    assert response.broken
    with pytest.raises(ConnectionError):
        await response.write(b"more")
