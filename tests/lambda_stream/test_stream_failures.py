"""What goes wrong in an app, in Lambda or with the caller, and that the next one is served."""

import asyncio
import os
import random
import signal
import socket
import time

import httpx2
import pytest

from infra.emulator import events
from infra.emulator.environment import Environment
from infra.emulator.invocation import Begin, End, Invocation

_CANNOT_START = """
async def app(scope, receive, send):
    await receive()
    await send({'type': 'lifespan.startup.failed', 'message': 'no database'})
"""


async def _next_one_works(deployed) -> None:
    await deployed.function.settled()
    response = await deployed.http.post("/echo", content=b"still here")
    assert response.json()["body"] == b"still here".hex()


async def _part(invocation: Invocation) -> Begin | bytes | End:
    return await asyncio.wait_for(invocation.answer.get(), 20)


@pytest.mark.parametrize(
    "path",
    ["/raise-before", "/says-nothing", "/exits", "/cancels-itself", "/big-headers", "/bad-order"],
)
async def test_a_failure_before_the_headers_is_a_plain_500(deploy, path):
    async with deploy() as deployed:
        response = await deployed.http.get(path)
        assert response.status_code == 500
        assert response.json() == {"message": "Internal Server Error"}
        await _next_one_works(deployed)
        assert "Traceback" in deployed.output.replace('"stackTrace"', "Traceback")
        assert len(deployed.function.environments) == 1


@pytest.mark.parametrize("path", ["/raise-during", "/never-ends-answer"])
async def test_a_failure_in_mid_stream_cuts_the_connection(deploy, path):
    async with deploy() as deployed:
        with pytest.raises(httpx2.RemoteProtocolError):
            await deployed.http.get(path)
        await _next_one_works(deployed)
        assert deployed.environment.api.protocol_errors == []


async def test_a_failure_in_mid_stream_reaches_lambda_as_trailers(deploy, task_root):
    async with deploy(freeze=False) as deployed:
        await deployed.http.get("/life")
        await deployed.function.settled()
        invocation = Invocation(events.get("/raise-during"), 10, "arn")
        await deployed.environment.run(invocation)
        assert (await _part(invocation)).streaming
        parts = []
        while not isinstance(part := await _part(invocation), End):
            parts.append(part)
        assert b"data: half" in b"".join(parts)
        assert part.error == "ValueError"


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import no_such_module", "Runtime.ImportModuleError"),
        ("def broken(:", "Runtime.UserCodeSyntaxError"),
        ("app = None", "Runtime.HandlerNotFound"),
        ("raise KeyError('at import')", "KeyError"),
        ("import sys; sys.exit(5)", "SystemExit"),
        (_CANNOT_START, "LifespanError"),
    ],
)
async def test_a_function_that_cannot_start_says_why(deploy, write_app, source, error):
    root = write_app(source)
    async with deploy("written.app", root=root) as deployed:
        async with Environment(deployed.function.configuration) as environment:
            assert not await environment.wait_ready()
            assert environment.api.init_error["errorType"] == error
            assert environment.api.init_error["header"] == error
            assert environment.process.returncode == 1
        assert (await deployed.http.get("/")).status_code == 502


async def test_a_handler_without_a_module_is_refused(deploy):
    async with (
        deploy("nodot") as deployed,
        Environment(deployed.function.configuration) as environment,
    ):
        assert not await environment.wait_ready()
        assert environment.api.init_error["errorType"] == "Runtime.MalformedHandlerName"


async def test_a_process_killed_in_mid_answer_cuts_the_caller_and_is_replaced(deploy, tmp_path):
    async with deploy() as deployed:
        async with deployed.http.stream("GET", f"/gate?{tmp_path / 'never'}") as response:
            chunks = response.aiter_raw()
            assert await anext(chunks) == b"data: first\n\n"
            os.kill(deployed.environment.pid, signal.SIGKILL)
            with pytest.raises(httpx2.RemoteProtocolError):
                await anext(chunks)
        await _next_one_works(deployed)
        with pytest.raises(httpx2.RemoteProtocolError):
            await deployed.http.get("/dies")
        await _next_one_works(deployed)


async def test_a_function_that_outlives_its_timeout_is_killed(deploy):
    async with deploy(timeout=1) as deployed:
        with pytest.raises(httpx2.RemoteProtocolError):
            await deployed.http.get("/hangs")
        await _next_one_works(deployed)


async def test_a_write_cancelled_half_way_ends_the_answer_as_broken(deploy):
    async with deploy() as deployed:
        async with deployed.http.stream("GET", "/gives-up-writing") as response:
            await _until(lambda: deployed.environment.api.current.ended)
            with pytest.raises(httpx2.RemoteProtocolError):
                await response.aread()
        await _next_one_works(deployed)


async def _until(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("stage", ["connecting", "half_a_request", "waiting", "reading"])
async def test_a_caller_may_leave_at_any_stage(deploy, tmp_path, stage):
    """The function runs to its end all the same, and serves the next caller."""
    gate = tmp_path / "gate"
    request = b"GET /gate?%b HTTP/1.1\r\nHost: here\r\n\r\n" % str(gate).encode()
    async with deploy() as deployed:
        await deployed.http.get("/life")
        await deployed.function.settled()
        host, port = deployed.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        if stage == "half_a_request":
            writer.write(request[:20])
        elif stage != "connecting":
            writer.write(request)
            await writer.drain()
            await _until(lambda: deployed.environment.api.current is not None)
        if stage == "reading":
            await reader.readuntil(b"data: first\n\n")
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
        )
        writer.close()
        gate.touch()
        await _next_one_works(deployed)
        if stage in {"waiting", "reading"}:
            assert gate.with_name("gate.done").exists()
        assert len(deployed.function.environments) == 1


@pytest.mark.parametrize("count", [250, pytest.param(1000, marks=pytest.mark.soak)])
async def test_malformed_events_do_not_stop_it(deploy, count):
    chance = random.Random(20261121)
    async with deploy(freeze=False) as deployed:
        before = (await deployed.http.get("/life")).json()
        await deployed.function.settled()
        environment = deployed.environment
        for _ in range(count):
            invocation = Invocation(_malformed(chance), 20, "arn")
            await environment.run(invocation)
            await _part(invocation)
            assert environment.alive
        after = (await deployed.http.get("/life")).json()
        assert environment.api.protocol_errors == []
        await _next_one_works(deployed)
    assert after["sockets"] == before["sockets"]
    assert after["tasks"] == before["tasks"]


def _malformed(chance: random.Random) -> bytes:
    """A good event with something cut out, replaced or garbled."""
    event = bytearray(events.get("/echo"))
    match chance.randrange(6):
        case 0:
            return bytes(event[: chance.randrange(len(event))])
        case 1:
            event[chance.randrange(len(event))] = chance.randrange(256)
            return bytes(event)
        case 2:
            return chance.choice(
                [b"", b"null", b"[]", b"3", b'"text"', b"{}", b"\xff\xfe", b"[" * 50_000]
            )
        case 3:
            word = chance.choice([b'"GET"', b'"/echo"', b"{}", b'"127.0.0.1"', b'""'])
            other = chance.choice(
                [b"null", b"7", b"[1]", b'{"a":1}', b'"\\ud800"', b"1e999", b"true"]
            )
            return bytes(event).replace(word, other, 1)
        case 4:
            body = chance.choice([b'"%%%"', b"5", b"[]", b'"AAA"', b'"\\u00e9"'])
            return bytes(event[:-1]) + b',"isBase64Encoded":true,"body":' + body + b"}"
        case _:
            headers = chance.choice(
                [b'{"a":1}', b'{"":""}', b'{"a\\r\\nb":"c"}', b"[1]", b'{"cookie":null}']
            )
            cookies = chance.choice([b"[]", b"[1]", b'"x"', b'["a\\r\\nb"]', b"{}"])
            return bytes(event).replace(b"{}", headers, 1)[:-1] + b',"cookies":' + cookies + b"}"


async def test_two_hundred_turns_leave_nothing_behind(deploy):
    async with deploy() as deployed:
        for _ in range(20):
            await deployed.http.get("/events?50")
            await deployed.function.settled()
        before = (await deployed.http.get("/life")).json()
        await deployed.function.settled()
        for _ in range(200):
            response = await deployed.http.get("/events?50")
            assert response.content.count(b"data: ") == 50
            await deployed.function.settled()
        after = (await deployed.http.get("/life")).json()
        assert len(deployed.function.environments) == 1
    for count in ("threads", "sockets", "tasks", "loops"):
        assert after[count] == before[count], count
    assert after["rss"] - before["rss"] < 2 * 1048576


async def test_as_many_environments_as_callers_at_once(deploy, tmp_path):
    gate = tmp_path / "gate"
    async with deploy(concurrency=2) as deployed:
        waiting = [asyncio.create_task(deployed.http.get(f"/gate?{gate}")) for _ in range(2)]
        await _until(lambda: len([e for e in deployed.function.environments if e.api.current]) == 2)
        assert (await deployed.http.get("/life")).status_code == 429
        gate.touch()
        assert [(await task).status_code for task in waiting] == [200, 200]


async def test_six_megabytes_of_event_are_the_most_and_base64_counts(deploy):
    async with deploy() as deployed:
        binary = {"content-type": "application/octet-stream"}
        fits = await deployed.http.post("/echo", content=bytes(4_500_000), headers=binary)
        assert fits.status_code == 200
        too_large = await deployed.http.post("/echo", content=bytes(4_800_000), headers=binary)
        assert too_large.status_code == 413
