"""The settings alone choose the model that answers."""

import re
from urllib.parse import urlsplit

import pytest
from agents import Agent, RunConfig, Runner, function_tool

from functions.context import RequestContext
from functions.llm import build, choose
from functions.llm.demo import DemoModel
from functions.llm.demo_script import DemoScript
from functions.settings import Settings
from tests.support.openai_server import OpenAIServer, Say
from tests.support.served import served

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def settings(**values):
    return Settings(_env_file=None, **values)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "GEMINI_API_KEY", "CHATKIT_MODEL"):
        monkeypatch.delenv(name, raising=False)
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


RESPONSES, COMPLETIONS = "responses", "chat_completions"
OLLAMA = {"openai_base_url": "http://localhost:11434/v1", "model": "llama"}


@pytest.mark.parametrize(
    ("values", "provider", "api", "default"),
    [
        ({}, "demo", RESPONSES, "demo"),
        ({"openai_api_key": "k"}, "openai", RESPONSES, "gpt-5-mini"),
        ({"openai_api_key": "k", "model_api": COMPLETIONS}, "openai", COMPLETIONS, "gpt-5-mini"),
        ({"openai_api_key": "k", "model": "gpt-5"}, "openai", RESPONSES, "gpt-5"),
        ({"gemini_api_key": "k"}, "gemini", COMPLETIONS, "gemini-2.5-flash"),
        ({"gemini_api_key": "g", "openai_api_key": "o"}, "openai", RESPONSES, "gpt-5-mini"),
        (OLLAMA, "compatible", COMPLETIONS, "llama"),
        ({**OLLAMA, "model_api": RESPONSES}, "compatible", RESPONSES, "llama"),
        ({"openai_api_key_secret": "name"}, "openai", RESPONSES, "gpt-5-mini"),
    ],
)
def test_settings_choose_the_provider_and_the_model(values, provider, api, default):
    choice = choose(settings(**values))
    assert (choice.provider, choice.api, choice.names[0]) == (provider, api, default)


def test_a_compatible_server_needs_the_name_of_a_model():
    with pytest.raises(ValueError, match="CHATKIT_MODEL"):
        choose(settings(openai_base_url="http://localhost:11434/v1"))


def test_the_list_of_models_begins_with_the_default():
    choice = choose(settings(openai_api_key="k", model="b", models="a, b,c"))
    assert choice.names == ("b", "a", "c")


ROLES = {"openai_api_key": "k", "oidc_roles_claim": "roles"}


@pytest.mark.parametrize(
    ("roles", "names"),
    [
        (set(), ["gpt-5-mini", "a"]),
        ({"staff"}, ["gpt-5-mini", "b", "a"]),
        ({"admin"}, ["gpt-5-mini", "b", "a", "c"]),
    ],
)
def test_a_model_with_roles_is_for_people_with_one_of_them(roles, names):
    choice = choose(settings(models="b (staff admin), a, c (admin)", **ROLES))
    assert choice.names == ("gpt-5-mini", "b", "a", "c")
    assert choice.names_for(RequestContext("ada", roles=frozenset(roles))) == names


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"models": "b (staff)", "oidc_roles_claim": None}, "need CHATKIT_OIDC_ROLES_CLAIM"),
        ({"models": "gpt-5-mini (staff)"}, "gpt-5-mini is the default, so it can need no role"),
        ({"models": "b (staff), b"}, "b is named twice"),
    ],
)
def test_roles_that_make_no_sense_are_refused_at_the_start(values, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        choose(settings(**{**ROLES, **values}))


@pytest.mark.parametrize("model", ["b (", "b ()", "(staff)", "b (a,b)", "b(staff)", "b (a) c"])
def test_a_model_of_another_form_is_refused(model):
    with pytest.raises(ValueError, match="is not a model such as gpt-5"):
        settings(models=model)


@pytest.mark.parametrize("model", ["claude@20240620", "llama3:8b", "a/b-c.d", "two words"])
def test_names_of_models_may_have_any_other_characters(model):
    assert choose(settings(openai_api_key="k", models=model)).names == ("gpt-5-mini", model)


@pytest.mark.parametrize(
    ("variable", "proxy"),
    [
        ("ALL_PROXY", "socks5://me:secret@127.0.0.1:1080"),
        ("HTTPS_PROXY", "socks5h://127.0.0.1:1080"),
        ("https_proxy", "ftp://127.0.0.1"),
        ("HTTP_PROXY", "http://127.0.0.1:port"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_at_the_start(monkeypatch, variable, proxy):
    monkeypatch.setenv(variable, proxy)
    with pytest.raises(ValueError, match=variable) as raised:
        choose(settings(openai_api_key="k"))
    assert "secret" not in str(raised.value)
    assert choose(settings()).provider == "demo"  # which needs no network


@pytest.fixture
def provider():
    """A server of models that speaks both APIs."""
    return OpenAIServer(Say("Hi"))


async def asked(**values):
    """Ask the default model of these settings."""
    choice = choose(settings(model="m", **values))
    agent = Agent(name="A", tools=[nothing])
    agent.model = build(choice, "m", "key", DemoScript())
    result = await Runner.run(agent, "Hi", run_config=RunConfig(tracing_disabled=True))
    return result.final_output


@function_tool
def nothing() -> None:
    """The test's server takes a request without a tool for one that asks for a title."""


async def test_requests_go_through_the_proxy_of_the_environment(monkeypatch, provider):
    hosts = []

    async def proxy(scope, receive, send):
        if scope["type"] == "http":
            hosts.append(dict(scope["headers"])[b"host"])
            scope = {**scope, "path": urlsplit(scope["path"]).path}
        await provider.app(scope, receive, send)

    with served(proxy) as url:
        monkeypatch.setenv("ALL_PROXY", url)
        monkeypatch.setenv("NO_PROXY", "localhost, ::1, .example.com")
        assert await asked(openai_base_url="http://model.invalid/v1") == "Hi"
    assert hosts == [b"model.invalid"]


@pytest.mark.parametrize(
    ("values", "what_is_said"),
    [
        ({}, "messages"),
        ({"model_api": COMPLETIONS}, "messages"),
        ({"model_api": RESPONSES}, "input"),
    ],
)
async def test_the_model_speaks_the_api_of_the_settings(provider, values, what_is_said):
    with served(provider.app) as url:
        assert await asked(openai_base_url=f"{url}/v1", **values) == "Hi"
    (request,) = provider.requests
    assert request.keys() & {"messages", "input"} == {what_is_said}


def test_without_a_provider_the_offline_demo_answers():
    choice = choose(settings())
    assert isinstance(build(choice, choice.names[0], "", DemoScript()), DemoModel)
