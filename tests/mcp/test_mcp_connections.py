"""Connections to real MCP servers on loopback: who shares one, and what if one is lost."""

import asyncio

import pytest
from pydantic import SecretStr

from functions.mcp import connection, connections, session
from functions.mcp.connections import Connections, Person
from functions.mcp.failure import McpError
from functions.mcp.servers import McpServer
from tests.support.mcp_server import Shop, before_2026, shop
from tests.support.served import served

ADA, BOB = Person("ada"), Person("bob")


async def no_secret(name):
    raise ValueError(name)


@pytest.fixture
async def environment():
    """The connections of one environment."""
    made = Connections(no_secret)
    yield made
    await made.close()


async def found(reached, what="pears"):
    result = await reached.call("find", {"what": what})
    return result.content[0].text


async def test_visitors_share_a_connection_and_its_list_of_tools(environment):
    with shop() as (made, url):
        server = McpServer(name="shop", url=url, tools=["find"], headers={"X-Shop": "1"})
        for person in (ADA, BOB, ADA):
            reached = environment.reach(server, person)
            assert [tool.name for tool in await reached.tools()] == ["find"]
            assert await found(reached) == "3 pears"
    assert [each["mcp-method"] for each in made.requests] == [
        "server/discover", "tools/list", "tools/call", "tools/call", "tools/call",
    ]  # fmt: skip
    assert {each["x-shop"] for each in made.requests} == {"1"}


@pytest.mark.parametrize(
    "more",
    [lambda person: {"shared": False}, lambda person: {"headers": {"x-person": person.user_id}}],
    ids=["by setting", "by their headers"],
)
async def test_a_connection_for_one_person_is_not_shared(environment, more):
    with shop() as (made, url):
        for person in (ADA, BOB, ADA):
            server = McpServer(name="shop", url=url, **more(person))
            await environment.reach(server, person).tools()
    assert len(made.named("server/discover")) == 2
    assert len({each.get("x-person") for each in made.requests}) == (
        2 if more(ADA).get("headers") else 1
    )


async def test_a_header_may_be_in_a_secret():
    async def read(name):
        return {"shop-key": "Bearer of-the-shop"}[name]

    environment = Connections(read)
    with shop() as (made, url):
        headers = {"authorization": {"secret": "shop-key"}}
        await environment.reach(McpServer(name="shop", url=url, headers=headers), ADA).tools()
        await environment.close()
    assert {each["authorization"] for each in made.requests} == {"Bearer of-the-shop"}


async def test_a_list_of_tools_is_asked_for_again_after_its_lifetime(environment, monkeypatch):
    with shop() as (made, url):
        reached = environment.reach(McpServer(name="shop", url=url), ADA)
        await reached.tools()
        monkeypatch.setattr(connection, "TOOLS_SECONDS", 0)
        await reached.tools()
    assert len(made.named("tools/list")) == 2
    assert len(made.named("server/discover")) == 1


@pytest.mark.parametrize("status", [401, 429])
async def test_a_call_that_was_refused_is_made_on_a_new_session(environment, status):
    with shop() as (made, url):
        reached = environment.reach(McpServer(name="shop", url=url), ADA)
        await reached.tools()
        made.refuses = [status]
        assert await found(reached) == "3 pears"
    assert made.calls == [("find", "pears")]
    assert len(made.named("server/discover")) == 2


@pytest.mark.parametrize("status", [400, 404])
async def test_a_session_that_the_server_has_forgotten_is_opened_again(environment, status):
    made = Shop()
    with served(before_2026(made.app())) as url:
        reached = environment.reach(McpServer(name="shop", url=f"{url}/mcp"), ADA)
        await reached.tools()
        made.refuses = [status]
        assert await found(reached) == "3 pears"
        await environment.close()
    assert made.calls == [("find", "pears")]
    assert len({each["mcp-session-id"] for each in made.requests if "mcp-session-id" in each}) == 2


async def test_what_may_have_been_done_is_not_done_twice(environment, monkeypatch):
    with shop() as (made, url):
        reached = environment.reach(McpServer(name="shop", url=url), ADA)
        await reached.tools()
        monkeypatch.setattr(connection, "TOOLS_SECONDS", 0)
        made.refuses = [503]
        assert await reached.tools()  # reading the list again does no harm
        made.refuses = [503]
        with pytest.raises(McpError, match="status 503") as failed:
            await found(reached)
        assert (failed.value.gone, failed.value.unheard) == (True, False)
        assert (len(made.named("tools/list")), len(made.named("tools/call"))) == (3, 1)
        assert await found(reached) == "3 pears"


async def test_a_server_that_died_between_two_answers_is_used_when_it_is_back(environment):
    made = Shop()
    with served(made.app()) as url:
        port = int(url.rpartition(":")[2])
        reached = environment.reach(McpServer(name="shop", url=f"{url}/mcp"), ADA)
        await reached.tools()
    with pytest.raises(McpError, match="cannot be reached") as failed:
        await found(reached)
    assert failed.value.unheard
    with served(Shop().app(), port=port):
        assert await found(reached) == "3 pears"


async def test_a_dead_server_is_tried_once_and_left_alone_for_a_while(environment, monkeypatch):
    with served(Shop().app()) as url:
        pass
    reached = environment.reach(McpServer(name="shop", url=f"{url}/mcp"), ADA)
    with pytest.raises(McpError, match="cannot be reached"):
        await reached.tools()
    with served(Shop().app(), port=int(url.rpartition(":")[2])):
        with pytest.raises(McpError, match="cannot be reached"):
            await reached.tools()
        monkeypatch.setattr(connection, "PAUSE_SECONDS", 0)
        assert await reached.tools()


async def test_a_server_that_does_not_answer_costs_a_bounded_wait(environment, monkeypatch):
    for module in (connection, session):
        monkeypatch.setattr(module, "CONNECT_SECONDS", 0.1)

    async def silent(scope, receive, send):
        while (await receive())["type"] != "http.disconnect":
            pass

    with served(silent, lifespan="off") as url:
        reached = environment.reach(McpServer(name="shop", url=url), ADA)
        with pytest.raises(McpError, match=r"no answer in 0\.1 s"):
            await reached.tools()


async def test_a_slow_call_holds_nobody_up(environment):
    with shop() as (made, url):
        made.gate.clear()
        slow = environment.reach(McpServer(name="shop", url=url), ADA)
        calling = asyncio.create_task(slow.call("ask_stock", {}))
        while not made.calls:  # noqa: ASYNC110 - the server is in another thread
            await asyncio.sleep(0.01)
        assert await found(slow) == "3 pears"
        assert not calling.done()
        made.gate.set()
        assert (await calling).content[0].text == "many"


async def test_a_call_that_takes_too_long_ends_and_leaves_the_connection_usable(environment):
    with shop() as (made, url):
        made.gate.clear()
        slow = environment.reach(McpServer(name="shop", url=url, timeout=1), ADA)
        with pytest.raises(McpError, match="no answer in 1 s"):
            await slow.call("ask_stock", {})
        assert await found(slow) == "3 pears"
        made.gate.set()


async def test_an_answer_without_end_is_not_read_to_its_end(environment, monkeypatch):
    monkeypatch.setattr("functions.mcp.http_client.MAX_BYTES", 500_000)
    for options in ({"json_response": True}, {"json_response": False}):
        with shop(**options) as (_, url):
            reached = environment.reach(McpServer(name="shop", url=url), ADA)
            with pytest.raises(McpError):
                await reached.call("list_all", {})
            assert await found(reached) == "3 pears"


async def test_an_unused_connection_makes_room_and_closes_after_a_while(environment, monkeypatch):
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 2)
    monkeypatch.setattr(session, "IDLE_SECONDS", 0.05)
    with shop() as (_, url):
        server = McpServer(name="shop", url=url, shared=False)
        first = environment.reach(server, ADA)
        await first.tools()
        opened = first.connection._session
        await asyncio.wait_for(asyncio.shield(opened._task), 10)
        assert await found(first) == "3 pears"
        await environment.reach(server, BOB).tools()
        await environment.reach(server, Person("eve")).tools()
        assert len(environment._kept) == 2
        assert environment.reach(server, ADA).connection is not first.connection


async def test_what_a_person_sends_is_in_no_text_about_them():
    assert "of-ada" not in repr(Person("ada", SecretStr("of-ada")))
    server = McpServer(name="shop", url="https://shop.example", headers={"x-key": "of-ada"})
    assert "of-ada" not in repr(server)


async def test_a_server_cannot_fill_the_models_input_with_its_tools(environment, monkeypatch):
    monkeypatch.setattr(connection, "MAX_TOOLS", 2)
    with shop() as (_, url):
        tools = await environment.reach(McpServer(name="shop", url=url), ADA).tools()
        assert [tool.name for tool in tools] == ["find", "buy"]
        monkeypatch.setattr(connection, "MAX_LENGTH", len(tools[0].model_dump_json()))
        server = McpServer(name="shop", url=url, shared=False)
        assert await environment.reach(server, ADA).tools() == tools[:1]
