"""A server that acts for a person gets a token in exchange for theirs, by RFC 8693."""

import base64
import json
from urllib.parse import parse_qs

import pytest
from pydantic import SecretStr

from functions.mcp.connections import Connections, Person
from functions.mcp.exchange import GRANT
from functions.mcp.failure import McpError
from functions.mcp.servers import McpServer
from tests.support.mcp_server import shop
from tests.support.served import served


class Exchange:
    """A token endpoint, which names the subject in the tokens that it gives."""

    def __init__(self):
        self.asked = []
        self.expires_in = 300
        self.refuses = None

    async def __call__(self, scope, receive, send):
        headers = dict(scope["headers"])
        form = parse_qs((await receive())["body"].decode())
        credentials = headers[b"authorization"].decode().removeprefix("Basic ")
        self.asked.append({name: value for name, (value,) in form.items()})
        self.asked[-1]["client"] = base64.b64decode(credentials).decode()
        status, answer = (
            200,
            {
                "access_token": f"for-{form['subject_token'][0]}",
                "token_type": "Bearer",
                "expires_in": self.expires_in,
            },
        )
        if self.refuses:
            status, answer = 400, {"error": self.refuses}
        await send({"type": "http.response.start", "status": status})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


@pytest.fixture
def exchange():
    return Exchange()


@pytest.fixture
async def world(exchange):
    """A shop that acts for people, its server, and the connections of one environment."""

    async def read_secret(name):
        return {"client-secret": "s&cret"}[name]

    environment = Connections(read_secret)
    with served(exchange, lifespan="off") as issuer, shop() as (made, url):
        server = McpServer.model_validate(
            {
                "name": "shop",
                "url": url,
                "exchange": {
                    "token_url": f"{issuer}/token",
                    "audience": "shop",
                    "client_id": "chat",
                    "client_secret": {"secret": "client-secret"},
                },
            }
        )
        yield made, server, environment
        await environment.close()


def person(name):
    return Person(name, SecretStr(f"token-of-{name}"))


async def test_each_person_has_a_token_and_a_connection_of_their_own(world, exchange):
    made, server, environment = world
    for name in ("ada", "bob", "ada"):
        await environment.reach(server, person(name)).tools()
    assert {each["authorization"] for each in made.requests} == {
        "Bearer for-token-of-ada",
        "Bearer for-token-of-bob",
    }
    assert len(made.named("server/discover")) == 2
    assert exchange.asked[0] == {
        "grant_type": GRANT,
        "subject_token": "token-of-ada",
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "audience": "shop",
        "client": "chat:s%26cret",
    }
    assert len(exchange.asked) == 2


async def test_a_token_that_is_about_to_expire_is_exchanged_anew(world, exchange):
    _, server, environment = world
    exchange.expires_in = 20
    reached = environment.reach(server, person("ada"))
    await reached.tools()
    await reached.call("find", {"what": "pears"})
    assert len(exchange.asked) == 2


async def test_a_refused_exchange_is_named_and_the_server_is_not_asked(world, exchange):
    made, server, environment = world
    exchange.refuses = "invalid_target"
    reached = environment.reach(server, person("ada"))
    with pytest.raises(McpError, match="no token for it: invalid_target"):
        await reached.tools()
    with pytest.raises(McpError, match="no token for it: invalid_target") as failed:
        await reached.call("find", {"what": "pears"})
    assert failed.value.unheard
    assert made.requests == []
