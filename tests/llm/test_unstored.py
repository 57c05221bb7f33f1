"""A provider is asked not to keep what it is sent, unless a setting allows it."""

import asyncio
from dataclasses import replace

import pytest
from agents import Agent, ModelSettings, RunConfig, Runner, function_tool

from functions.llm import build, choose, providers
from functions.llm.demo_script import DemoScript
from functions.settings import Settings
from tests.support.dialects import DialectServer, Refuse, numbered, response
from tests.support.openai_server import Say
from tests.support.served import served

ENCRYPTED = "reasoning.encrypted_content"


@pytest.fixture
def server():
    return DialectServer()


@pytest.fixture
def url(server):
    with served(server.app) as address:
        yield f"{address}/v1"


@pytest.fixture
def ask(url):
    """Ask a model at the server; the settings may be changed."""

    async def of(model="test", agent=None, **values):
        given = {"openai_base_url": url, "model": model, "model_api": "responses", **values}
        choice = choose(Settings(_env_file=None, **given))
        agent = agent or Agent(name="A", tools=[echo])
        agent.model = build(choice, choice.names[0], "key", DemoScript())
        result = Runner.run_streamed(agent, "Hi", run_config=RunConfig(tracing_disabled=True))
        async for _ in result.stream_events():
            pass
        return result.final_output

    return of


@function_tool
def echo(text: str) -> str:
    """Says the text."""
    return text


def sent(server):
    return [(r.get("store"), r.get("include")) for r in server.requests]


async def test_requests_are_not_stored_and_carry_encrypted_reasoning(server, ask):
    server.script = [Say("Hi")]
    await ask()
    assert sent(server) == [(False, [ENCRYPTED])]


async def test_encrypted_reasoning_goes_back_to_the_model_after_a_tool(server, ask):
    thought = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAA"}
    call = {"id": "fc_1", "type": "function_call", "call_id": "c1", "name": "echo",
            "arguments": '{"text": "x"}', "status": "completed"}  # fmt: skip
    events = [
        {"type": f"response.output_item.{kind}", "output_index": n, "item": item}
        for n, item in enumerate([thought, call])
        for kind in ("added", "done")
    ]
    whole = {"type": "response.completed", "response": response(thought, call)}
    server.script = [numbered(*events, whole), Say("x")]
    assert await ask() == "x"
    carried = [item for item in server.requests[1]["input"] if item.get("type") == "reasoning"]
    assert [item["encrypted_content"] for item in carried] == ["gAAA"]


def refusal(message, **more):
    return Refuse(400, {"error": {"message": message, **more}})


REFUSALS = {
    "encrypted": (
        refusal("Encrypted content is not supported with this model.", param="include"),
        (False, None),
    ),
    "store": (refusal("Unknown parameter: 'store'.", param="store"), (None, [ENCRYPTED])),
    "store-422": (
        Refuse(422, {"detail": [{"loc": ["body", "store"], "msg": "Extra inputs"}]}),
        (None, [ENCRYPTED]),
    ),
    "both": (refusal("Unrecognized request arguments: include, store"), (None, None)),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_what_an_endpoint_refuses_is_left_out_from_then_on(server, ask, name):
    refused, accepted = REFUSALS[name]
    server.script = [refused, Say("Hi")]
    assert await ask(name) == "Hi"
    assert await ask(name) == "Hi"
    assert [(store, include or None) for store, include in sent(server)] == [
        (False, [ENCRYPTED]),
        accepted,
        accepted,
    ]


async def test_an_endpoint_may_refuse_one_after_the_other(server, ask):
    server.script = [refusal("Unknown: store"), refusal("Unknown: include"), Say("Hi")]
    assert await ask("one-by-one") == "Hi"
    assert len(server.requests) == 3


async def test_two_requests_that_are_refused_at_once_are_both_sent_again(server, ask):
    refused = replace(refusal("Unknown: include"), together=asyncio.Barrier(2))
    server.script = [refused, refused, Say("Hi")]
    assert await asyncio.gather(ask("at-once"), ask("at-once")) == ["Hi", "Hi"]


async def test_another_error_is_raised_at_once(server, ask):
    server.script = [refusal("The tool has no name.")]
    with pytest.raises(Exception, match="no name"):
        await ask("other")
    assert len(server.requests) == 1


async def test_a_setting_turns_storing_on(server, ask):
    server.script = [Say("Hi")]
    await ask(store_responses=True)
    assert [(store, include or None) for store, include in sent(server)] == [(None, None)]


async def test_the_settings_of_an_agent_come_first(server, ask):
    server.script = [Say("Hi")]
    await ask(agent=Agent(name="A", tools=[echo], model_settings=ModelSettings(store=True)))
    assert sent(server)[0][0] is True


async def test_chat_completions_of_openai_are_not_stored_and_others_are_not_asked(
    server, ask, url, monkeypatch
):
    server.script = [Say("Hi")]
    await ask(model_api="chat_completions")
    monkeypatch.setattr(providers, "OPENAI_URL", url)
    key = {"openai_api_key": "k", "model": "test", "model_api": "chat_completions"}
    choice = choose(Settings(_env_file=None, **key))
    agent = Agent(name="A", tools=[echo], model=build(choice, "test", "other", DemoScript()))
    await Runner.run(agent, "Hi", run_config=RunConfig(tracing_disabled=True))
    assert ["store" in request for request in server.requests] == [False, True]
    assert server.requests[1]["store"] is False
