"""The assistant has the tools of MCP servers: real ones, on loopback, behind the app over HTTP."""

import json
import logging

import pytest

from functions.chat import mcp_tools
from functions.chat.app import create_app
from functions.marks import data_in
from functions.mcp.servers import McpServer
from functions.settings import Settings
from tests.assistants.sample import assistant
from tests.mcp.test_mcp_exchange import Exchange
from tests.support.chat import Chat, text_of, thread_of
from tests.support.issuer import bearer
from tests.support.mcp_server import Shop
from tests.support.openai_server import Call, Say
from tests.support.served import served


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def shop_url(shop):
    with served(shop.app()) as url:
        yield f"{url}/mcp"


@pytest.fixture
def more():
    """What the setting says of the shop, besides its address. A test may override it."""
    return {}


@pytest.fixture
def app_settings(app_settings, shop_url, more):
    servers = json.dumps([{"name": "shop", "url": shop_url, **more}])
    return Settings(**app_settings.model_dump() | {"mcp_servers": servers})


def notices(events):
    return [event["message"] for event in events if event["type"] == "notice"]


def outputs(request):
    return [each["content"] for each in request["messages"] if each["role"] == "tool"]


def tools_of(request):
    return {tool["function"]["name"] for tool in request["tools"]}


@pytest.mark.parametrize("more", [{"tools": ["find", "buy"], "headers": {"x-shop": "1"}}])
def test_with_the_setting_alone_the_model_calls_tools_of_a_server(ada, bob, model, shop, more):
    for chat in (ada, bob):
        model._answered = 0
        model.script = [Call("mcp_shop__find", {"what": "pears"}), Say("There are three.")]
        events = chat.create("Pears?")
        assert (text_of(events), notices(events)) == ("There are three.", [])
    first, second = model.requests[:2]
    assert {"mcp_shop__find", "mcp_shop__buy", "add"} <= tools_of(first)
    assert "mcp_shop__list_all" not in tools_of(first)
    assert [data_in(output) for output in outputs(second)] == ["3 pears"]
    assert shop.calls == [("find", "pears")] * 2
    assert len(shop.named("server/discover")) == len(shop.named("tools/list")) == 1
    for sent in shop.requests:
        assert sent["x-shop"] == "1"
        assert not {"cookie", "authorization", "x-chatkit-authorization"} & set(sent)


def test_a_huge_output_is_cut(ada, model):
    model.script = [Call("mcp_shop__list_all"), Say("That is a lot.")]
    ada.create()
    (told,) = outputs(model.requests[1])
    assert "more characters were left out" in json.dumps(told)
    assert len(json.dumps(told)) < mcp_tools.MAX_TOOL_OUTPUT + 500


@pytest.mark.parametrize("shop_url", ["http://127.0.0.1:9/mcp"])
def test_a_dead_server_costs_a_notice_and_not_the_answer(ada, model):
    events = ada.create()
    assert text_of(events) == "Hello from the test model."
    assert notices(events) == ["shop does not answer right now. This answer may lack something."]
    assert "mcp_shop__find" not in tools_of(model.requests[0])


def test_a_server_that_fails_in_mid_answer_is_told_to_the_model_and_once_to_the_visitor(
    ada, model, shop, caplog
):
    caplog.set_level(logging.INFO, "functions.run_log")
    ada.create()
    model._answered = 0
    call = Call("mcp_shop__find", {"what": "pears"})
    model.script = [call, call, Say("The shop is closed.")]
    shop.refuses = [503, 503, 503]  # a call, and both ways to open another session
    events = ada.create("Pears?")
    assert text_of(events) == "The shop is closed."
    assert len(notices(events)) == 1
    told = json.dumps(model.requests[-1])
    assert told.count("The tool failed: it answered with status 503.") == 2
    assert "may have been done" in told
    assert "the tool find of the MCP server shop: it answered with status 503" in caplog.text
    assert "pears" not in caplog.text
    tools = [record.tools for record in caplog.records if hasattr(record, "tools")][-1]
    assert [(each["name"], each["outcome"]) for each in tools] == [
        ("mcp_shop__find", "failed"),
        ("mcp_shop__find", "failed"),
    ]


@pytest.mark.parametrize("more", [{"approve": ["buy"]}, {"approve": "changes"}], ids=str)
def test_a_tool_that_needs_approval_is_not_called_before_it(ada, model, shop, more):
    model.script = [Call("mcp_shop__find", {"what": "pears"}), Call("mcp_shop__buy", {"what": "a"})]
    assert "approval.decide" in json.dumps(ada.create())
    assert shop.calls == [("find", "pears")]


@pytest.mark.parametrize("more", [{"approve": ["buy"]}])
def test_an_approved_tool_is_called_by_an_environment_with_a_connection_of_its_own(
    ada, model, shop, app_settings
):
    model.script = [Call("mcp_shop__buy", {"what": "pears"}), Say("They are yours.")]
    events = ada.create("Buy pears")
    card = next(event["item"] for event in events if event.get("item", {}).get("type") == "widget")
    place = {"thread_id": thread_of(events), "item_id": card["id"]}
    action = {"type": "approval.decide", "payload": {"approve": True}}
    with served(create_app(app_settings)) as url:
        elsewhere = Chat(url)
        elsewhere.http.cookies.update(ada.http.cookies)
        events = elsewhere.stream("threads.custom_action", action=action, **place)
    assert text_of(events) == "They are yours."
    assert shop.calls == [("buy", "pears")]


def test_headers_made_for_a_person_are_sent_on_their_own_connection(
    server, model, shop, shop_url, monkeypatch
):
    async def mcp_servers(turn):
        who = turn.request_context.user_id
        return [McpServer(name="mine", url=shop_url, headers={"x-person": who}, shared=False)]

    monkeypatch.setattr(assistant, "mcp_servers", mcp_servers)
    for chat in (Chat(server), Chat(server)):
        model._answered = 0
        model.script = [Call("mcp_mine__find", {"what": "pears"}), Say("Three.")]
        assert text_of(chat.create()) == "Three."
    people = {each["x-person"] for each in shop.requests if "x-person" in each}
    assert len(people) == 2
    for person in people:
        own = [each["mcp-method"] for each in shop.requests if each.get("x-person") == person]
        assert own == ["server/discover", "tools/list", "tools/call"]


def test_parts_of_an_output_that_are_not_text_are_bounded_too():
    image = mcp_tools.ImageContent(data="i" * 30, mime_type="image/png")
    huge = mcp_tools.ImageContent(data="i" * (mcp_tools.MAX_IMAGES + 1), mime_type="image/png")
    bare = mcp_tools.CallToolResult(content=[], structured_content={"left": 3})
    result = mcp_tools.bounded(mcp_tools.CallToolResult(content=[image, huge]))
    assert result.content[0] == image
    assert "of the kind image, which was left out" in result.content[1].text
    assert mcp_tools.bounded(bare).content[0].text == '{"left":3}'


class TestSignedIn:
    """A server that gets a token of the person for whom it acts."""

    @pytest.fixture
    def exchange(self):
        return Exchange()

    @pytest.fixture
    def app_settings(self, sign_in_settings, shop_url, exchange):
        with served(exchange, lifespan="off") as url:
            given = {
                "token_url": f"{url}/token",
                "audience": "shop",
                "client_id": "chat",
                "client_secret": "secret",
            }
            server = {"name": "shop", "url": shop_url, "exchange": given}
            yield sign_in_settings(mcp_servers=json.dumps([server]), oidc_optional=True)

    def test_a_server_gets_an_exchanged_token_and_never_the_one_that_opens_this_app(
        self, server, issuer, model, shop, exchange
    ):
        tokens = [issuer.token(sub=name) for name in ("ada", "bob")]
        for token in tokens:
            chat = Chat(server)
            chat.http.headers.update(bearer(token))
            model._answered = 0
            model.script = [Call("mcp_shop__find", {"what": "pears"}), Say("Three.")]
            assert text_of(chat.create()) == "Three."
        assert [asked["subject_token"] for asked in exchange.asked] == tokens
        seen = [each["authorization"] for each in shop.requests]
        assert set(seen) == {f"Bearer for-{token}" for token in tokens}

    def test_a_visitor_who_has_not_signed_in_has_no_such_server(self, server, model, shop):
        events = Chat(server).create()
        assert (text_of(events), notices(events)) == ("Hello from the test model.", [])
        assert "mcp_shop__find" not in tools_of(model.requests[0])
        assert shop.requests == []


def test_an_exchange_needs_people_who_sign_in(app_settings):
    from functions.services import Services

    exchange = {
        "token_url": "https://i.example",
        "audience": "a",
        "client_id": "c",
        "client_secret": "s",
    }
    servers = [{"name": "shop", "url": "https://s.example", "exchange": exchange}]
    with pytest.raises(ValueError, match="exchange of shop needs CHATKIT_AUTH=oidc"):
        Services.of(Settings(_env_file=None, mcp_servers=json.dumps(servers)))
