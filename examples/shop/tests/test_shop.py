"""The assistant with its MCP server, a process of its own, through the whole engine."""

import json
import subprocess
import sys

import pytest

from examples.shop import Shop, assistant
from functions.settings import ROOT
from functions.toolkit.testing import assistant_under_test, calls, says

PROMPTS = json.loads((ROOT / "examples/shop/page.json").read_text())["startScreen"]["prompts"]
TWO_SENCHA = calls("mcp_shop__add_to_basket", item="sencha", quantity=2)
ORDER = calls("mcp_shop__order")
APPROVE, DECLINE = {"approve": True}, {"approve": False}


@pytest.fixture(scope="module")
def server():
    """The address of the shop's server."""
    command = [sys.executable, "-m", "examples.shop.server"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe) as process:
        yield process.stdout.readline().decode().strip()
        process.stdin.close()


@pytest.fixture
async def chat(server, monkeypatch):
    monkeypatch.setenv("CHATKIT_ASSISTANT_URL", server)
    async with assistant_under_test(assistant) as chat:
        yield chat


async def test_what_only_reads_is_called_at_once(chat):
    script = [calls("mcp_shop__find", words="kettle"), calls("mcp_shop__stock", item="kettle")]
    chat.model = [*script, says("There are seven.")]
    said = await chat.say("Do you have kettles?")
    assert [call.result for call in said.calls] == [
        "- Kettle for 1.5 litres: 59.00 € (`kettle`)",
        "Kettle for 1.5 litres: 7 in stock.",
    ]


async def test_what_changes_something_is_done_when_it_was_approved(chat):
    chat.model = [TWO_SENCHA, says("They are in."), ORDER, says("Done.")]
    said = await chat.say("2 sencha, please")
    assert said.call.result is None
    said = await chat.press(said, "approval.decide", APPROVE)
    assert said.text == "They are in."
    card = await chat.say("Order it")
    said = await chat.press(card, "approval.decide", APPROVE)
    assert "Ordered: 2 x Sencha, green tea, 100 g. Together 19.00 €." in said.results.values()


async def test_what_was_declined_is_not_done(chat):
    bob = chat.as_user("bob")
    chat.model = [TWO_SENCHA, says("All right."), ORDER, says("There is nothing.")]
    said = await bob.press(await bob.say("2 sencha"), "approval.decide", DECLINE)
    assert said.text == "All right."
    said = await bob.press(await bob.say("Order it"), "approval.decide", APPROVE)
    assert "The basket is empty." in said.results.values()


async def test_each_customer_has_a_basket_of_their_own(chat):
    ada, bob = chat.as_user("ada2"), chat.as_user("bob2")
    chat.model = [TWO_SENCHA, says("In."), ORDER, says("Nothing.")]
    await ada.press(await ada.say("2 sencha"), "approval.decide", APPROVE)
    said = await bob.press(await bob.say("Order"), "approval.decide", APPROVE)
    assert "The basket is empty." in said.results.values()


@pytest.mark.parametrize(
    ("item", "quantity", "says_so"),
    [("coffee", 1, "There is no coffee."), ("gyokuro", 3, "2 are in stock"), ("assam", 0, "0 x")],
)
async def test_what_is_not_in_stock_is_not_put_into_the_basket(chat, item, quantity, says_so):
    put = calls("mcp_shop__add_to_basket", item=item, quantity=quantity)
    chat.model = [put, says("Sorry.")]
    said = await chat.press(await chat.say("That, please"), "approval.decide", APPROVE)
    assert any(says_so in result for result in said.results.values())


async def test_the_demo_leads_through_it_on_a_server_that_the_assistant_starts_and_ends(
    monkeypatch,
):
    monkeypatch.delenv("CHATKIT_ASSISTANT_URL", raising=False)
    async with assistant_under_test(assistant) as chat:
        process = assistant._own._process
        tea, enough, basket, order = [each["prompt"] for each in PROMPTS]
        assert "Gyokuro" in (await chat.say(tea)).text
        assert "12 in stock" in (await chat.say(enough)).text
        said = await chat.press(await chat.say(basket), "approval.decide", APPROVE)
        assert said.text == "In the basket: 2 x Sencha, green tea, 100 g."
        said = await chat.press(await chat.say(order), "approval.decide", APPROVE)
        assert "Together 19.00 €" in said.text
    assert process.returncode == 0


async def test_in_lambda_no_server_is_started(monkeypatch, caplog):
    monkeypatch.delenv("CHATKIT_ASSISTANT_URL", raising=False)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "chat")
    shop = Shop()
    await shop.start_up()
    await shop.shut_down()
    assert shop.url is None
    assert "CHATKIT_ASSISTANT_URL is not set" in caplog.text
