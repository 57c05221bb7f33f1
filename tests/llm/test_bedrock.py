"""Models of Amazon Bedrock are asked without a key: requests are signed with AWS credentials."""

import asyncio
import itertools
import threading
from datetime import UTC, datetime, timedelta

import openai
import pytest
from agents import Agent, RunConfig, Runner, function_tool
from botocore.credentials import Credentials
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from functions.llm import build, choose
from functions.llm.client import MAX_RETRIES, TIMEOUT, model_client
from functions.llm.demo_script import DemoScript
from functions.settings import Settings
from tests.support.bedrock_server import BedrockServer
from tests.support.openai_server import Fail, OpenAIServer, SayUnits
from tests.support.served import served

CHAT, RESPONSES = "openai.gpt-oss-120b-1:0", "openai.gpt-5.4"
ROLE = Credentials("ASIAROLE", "secret", "session-token")


@pytest.fixture(autouse=True)
def role(monkeypatch):
    """The credentials of a function, where Lambda puts them."""
    for name in ("AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ROLE.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", ROLE.secret_key)
    monkeypatch.setenv("AWS_SESSION_TOKEN", ROLE.token)


@pytest.fixture
def bedrock():
    return BedrockServer(OpenAIServer(SayUnits("Hi 🙂")), ROLE)


@pytest.fixture
def url(bedrock):
    with served(bedrock) as address:
        yield f"{address}/openai/v1"


def chosen(**values):
    return choose(Settings(_env_file=None, provider="bedrock", aws_region="eu-central-1", **values))


@function_tool
def nothing() -> None:
    """The test's server takes a request without a tool for one that asks for a title."""


async def ask(url, model=CHAT, **values):
    """What the model says, streamed, and then as a whole."""
    choice = chosen(bedrock_base_url=url, model=model, **values)
    agent = Agent(name="A", tools=[nothing])
    agent.model = build(choice, choice.names[0], "", DemoScript())
    untraced = RunConfig(tracing_disabled=True)
    streamed = Runner.run_streamed(agent, "Hi", run_config=untraced)
    async for _ in streamed.stream_events():
        pass
    whole = await Runner.run(agent, "Hi", run_config=untraced)
    return [streamed.final_output, whole.final_output]


@pytest.mark.parametrize(("model", "what_is_said"), [(CHAT, "messages"), (RESPONSES, "input")])
async def test_each_request_carries_a_signature_that_botocore_computes_too(
    bedrock, url, model, what_is_said
):
    assert await ask(url, model) == ["Hi 🙂", "Hi 🙂"]
    assert bedrock.signed == [("ASIAROLE", "eu-central-1", "bedrock")] * 2
    assert [request["model"] for request in bedrock.model.requests] == [model] * 2
    assert all(what_is_said in request for request in bedrock.model.requests)


async def test_a_signature_with_another_secret_is_refused(bedrock, url):
    """Otherwise the test above would prove nothing."""
    bedrock.credentials["ASIAROLE"] = Credentials("ASIAROLE", "another secret", "session-token")
    with pytest.raises(openai.PermissionDeniedError):
        await ask(url)
    assert (bedrock.signed, bedrock.model.requests) == ([], [])


async def test_a_request_that_is_sent_again_is_signed_again(bedrock, url):
    bedrock.model.script = [Fail(503), *bedrock.model.script]
    assert await ask(url) == ["Hi 🙂", "Hi 🙂"]
    assert len(bedrock.signed) == 3


async def test_a_project_of_the_endpoint_mantle_is_named_and_its_service_signs(bedrock, url):
    await ask(url, bedrock_endpoint="mantle", bedrock_project="proj_1")
    assert {service for *_, service in bedrock.signed} == {"bedrock-mantle"}
    assert {headers["openai-project"] for headers in bedrock.model.headers} == {"proj_1"}


@pytest.fixture
def rotating(monkeypatch):
    """Credentials that expire, from the address that Lambda names after a restored snapshot.

    Each time there are new ones. Yields two events: the first is set when somebody asks for them,
    and the test sets the second, for which they wait.
    """
    numbers, entered, gate = itertools.count(), threading.Event(), threading.Event()

    def credentials(_):
        entered.set()
        if not gate.wait(1):
            return JSONResponse({}, 500)
        made = numbered(next(numbers))
        return JSONResponse(
            {
                "AccessKeyId": made.access_key,
                "SecretAccessKey": made.secret_key,
                "Token": made.token,
                "Expiration": (datetime.now(UTC) + timedelta(seconds=60)).isoformat(),
            }
        )

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with served(Starlette(routes=[Route("/credentials", credentials)])) as address:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{address}/credentials")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
        monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
        yield entered, gate


def numbered(number):
    return Credentials(f"ASIA{number}", f"secret {number}", "token")


async def test_credentials_that_expire_are_read_anew_while_the_loop_goes_on(bedrock, url, rotating):
    entered, gate = rotating
    bedrock.credentials = {each.access_key: each for each in map(numbered, range(9))}
    asking = asyncio.create_task(ask(url))
    await asyncio.to_thread(entered.wait, 5)
    gate.set()  # which a blocked loop could not do
    assert await asking == ["Hi 🙂", "Hi 🙂"]
    first, second = (key for key, *_ in bedrock.signed)
    assert first != second


async def test_the_client_waits_and_tries_again_as_that_of_every_other_provider():
    endpoint = chosen().models[0].endpoint
    client = model_client(endpoint, "")
    assert client is model_client(endpoint, "")
    assert (client.timeout, client.max_retries) == (TIMEOUT, MAX_RETRIES)


@pytest.mark.parametrize(
    ("values", "address"),
    [
        ({}, "https://bedrock-runtime.eu-central-1.amazonaws.com/openai/v1/"),
        ({"bedrock_endpoint": "mantle"}, "https://bedrock-mantle.eu-central-1.api.aws/openai/v1/"),
    ],
)
async def test_the_address_is_that_of_the_region(values, address):
    assert str(model_client(chosen(**values).models[0].endpoint, "").base_url) == address
