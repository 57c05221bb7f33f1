"""CloudFront's stand-in over real HTTP: what reaches a function of what a client wrote."""

import json

import httpx2
import pytest

from functions.web.viewer import HOST_HEADER, IP_HEADER
from infra.emulator import wire
from infra.emulator.edge import Edge
from infra.emulator.server import Server


class Echo:
    """In place of a Function URL: answers with the headers that it got."""

    async def handle(self, request, writer, *, body, scheme):
        answer = json.dumps(request.headers).encode()
        writer.write(wire.response(200, [("Content-Type", "application/json")], answer))
        await writer.drain()


@pytest.fixture
async def edge(tmp_path):
    origins = {"/chatkit": Echo(), "/actions": Echo()}
    async with Server(Edge(origins, tmp_path, {}).answer) as server:
        yield server.url


@pytest.mark.parametrize("path", ["/chatkit", "/chatkit/session", "/actions", "/actions/cancel"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_function_gets_the_viewers_host_and_address_and_not_what_a_client_wrote(
    edge, method, path
):
    written = [
        (HOST_HEADER, "evil.example"),
        (HOST_HEADER.upper(), "evil.example"),
        (IP_HEADER.title(), "192.0.2.9"),
        ("host", "chat.example"),
        ("authorization", "Bearer x"),
        ("origin", "https://chat.example"),
    ]
    async with httpx2.AsyncClient(base_url=edge, trust_env=False) as client:
        answer = await client.request(method, path, headers=written)
    got = [(name.lower(), value) for name, value in answer.json()]
    assert [value for name, value in got if name == HOST_HEADER] == ["chat.example"]
    assert [value for name, value in got if name == IP_HEADER] == ["127.0.0.1"]
    assert ("origin", "https://chat.example") in got
    assert "authorization" not in dict(got)
