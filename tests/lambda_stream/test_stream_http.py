"""HTTP through `lambda_stream`, as a process behind an emulated Function URL."""

import json

import pytest


async def test_an_answer_streams_before_it_is_complete(deploy, tmp_path):
    gate = tmp_path / "gate"
    async with deploy() as deployed, deployed.http.stream("GET", f"/gate?{gate}") as response:
        chunks = response.aiter_raw()
        assert await anext(chunks) == b"data: first\n\n"
        assert not gate.exists()
        gate.touch()
        assert b"".join([chunk async for chunk in chunks]) == b"data: last\n\n"


async def test_the_scope_describes_the_request(deploy):
    async with deploy(timeout=30) as deployed:
        response = await deployed.http.post(
            "/echo?a=1&a=2&b=%20c",
            content=b"\x00\xff\xfe",
            headers=[
                ("content-type", "application/octet-stream"),
                ("x-many", "one"),
                ("x-many", "two"),
                ("cookie", "a=1; b=2"),
                (b"x-accented", "naïve".encode()),
            ],
        )
    seen = response.json()
    headers = dict(seen["headers"])
    assert seen["method"] == "POST"
    assert (seen["path"], seen["query"]) == ("/echo", "a=1&a=2&b=%20c")
    assert headers["x-many"] == "one,two"
    assert headers["cookie"] == "a=1; b=2"
    assert len([name for name, _ in seen["headers"] if name == "cookie"]) == 1
    assert seen["body"] == "00fffe"
    assert seen["client"] == ["127.0.0.1", 0]
    assert seen["scheme"] == "https"
    assert seen["server"][1] == 443
    assert seen["root_path"] == ""
    assert seen["state"] == {"greeting": "hello"}
    assert seen["request_id"] == response.headers["x-amzn-requestid"]
    assert seen["arn"].endswith(":function:stream")
    assert 25_000 < seen["remaining_ms"] <= 30_000
    assert seen["trace_id"].startswith("Root=")
    assert seen["trace_variable"] == seen["trace_id"]


async def test_cookies_and_repeated_headers_reach_the_caller(deploy):
    async with deploy() as deployed:
        response = await deployed.http.get("/cookies")
    assert response.status_code == 201
    assert response.headers.get_list("set-cookie") == ["a=1; Path=/", "b=2; HttpOnly"]
    assert response.headers["vary"] == "Origin, Cookie"
    assert "connection" not in response.headers


@pytest.mark.parametrize("path", ["/empty", "/empty?204", "/empty?304", "/empty?302"])
async def test_an_answer_without_a_body_does_not_hang_the_url(deploy, path):
    async with deploy() as deployed:
        response = await deployed.http.get(path)
    assert response.status_code == int(path.partition("?")[2] or 200)
    assert response.content.strip() == b""


async def test_head_has_headers_and_no_body(deploy):
    async with deploy() as deployed:
        response = await deployed.http.head("/sized")
        assert (response.status_code, response.content) == (200, b"")
        assert response.headers["content-type"] == "text/plain"
        assert (await deployed.http.get("/sized")).text == "12345"


async def test_many_megabytes_stream_without_growing_memory(deploy):
    async with deploy() as deployed:
        before = (await deployed.http.get("/life")).json()["rss"]
        size = 0
        async with deployed.http.stream("GET", "/megabytes?150,1048576") as response:
            async for chunk in response.aiter_raw():
                size += len(chunk)
        after = (await deployed.http.get("/life")).json()["rss"]
    assert size == 150 * 1048576
    assert after - before < 20 * 1048576


async def test_chunks_of_two_tasks_do_not_mix(deploy):
    async with deploy() as deployed:
        response = await deployed.http.get("/two-tasks")
    lines = response.content.split(b"\n")[:-1]
    assert len(lines) == 400
    assert {line[:1] for line in lines} == {b"a", b"b"}
    assert all(line == line[:1] * 30_000 for line in lines)


async def test_disconnect_comes_after_the_answer(deploy):
    async with deploy() as deployed:
        assert (await deployed.http.get("/disconnect")).text == "waiting"
        await deployed.http.get("/life")
        assert "then http.disconnect" in deployed.output


async def test_work_after_the_answer_ends_before_the_freeze(deploy):
    async with deploy() as deployed:
        assert (await deployed.http.get("/background")).json() == {"after": 0}
        await deployed.function.settled()
        assert (await deployed.http.get("/background")).json() == {"after": 1}


async def test_the_app_starts_once_and_stops_on_sigterm(deploy):
    async with deploy() as deployed:
        for _ in range(3):
            life = (await deployed.http.get("/life")).json()
            await deployed.function.settled()
        assert (life["started"], life["requests"], life["loops"]) == (1, 3, 1)
        environment = deployed.environment
    assert b"shut down cleanly" in environment.output
    assert environment.process.returncode == 0


async def test_log_lines_carry_the_request_id(deploy):
    async with deploy() as deployed:
        response = await deployed.http.get("/log")
        await deployed.function.settled()
        line = next(x for x in deployed.output.splitlines() if "two" in x)
    record = json.loads(line)
    assert record["requestId"] == response.json()["request_id"]
    assert (record["level"], record["message"]) == ("WARNING", "two\nlines")
    assert record["color"] == "green"


@pytest.mark.parametrize(
    ("module", "make"),
    [
        ("starlette", "app = Starlette(routes=[Route('/', home)], lifespan=life)"),
        ("fastapi", "app = FastAPI(lifespan=life); app.get('/')(home)"),
    ],
)
async def test_starlette_and_fastapi_apps_run_unchanged(deploy, write_app, module, make):
    root = write_app(f"""
import asyncio, contextlib
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

@contextlib.asynccontextmanager
async def life(app):
    yield {{"word": "state"}}

async def home(request: Request):
    async def parts():
        for part in ("some ", request.state.word, " for ", request.client.host):
            yield part
            await asyncio.sleep(0)
    response = StreamingResponse(parts(), background=BackgroundTask(print, "in background"))
    response.set_cookie("seen", "1")
    return response

{make}
""")
    async with deploy("written.app", root=root) as deployed:
        response = await deployed.http.get("/")
        assert response.text == "some state for 127.0.0.1"
        assert response.cookies["seen"] == "1"
        await deployed.function.settled()
        assert "in background" in deployed.output
