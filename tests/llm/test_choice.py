"""The settings alone choose the model that answers."""

import json
import os
import re
from urllib.parse import urlsplit

import pytest
from agents import Agent, ModelSettings, RunConfig, Runner, function_tool
from openai.types.shared import Reasoning

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
    for name in [*os.environ]:
        if name.startswith(("OPENAI_", "GEMINI_", "AZURE_", "AWS_BEDROCK", "CHATKIT_")):
            monkeypatch.delenv(name)
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


RESPONSES, COMPLETIONS = "responses", "chat_completions"
AZURE = {"azure_openai_endpoint": "https://my.openai.azure.com/", "azure_openai_api_key": "k"}
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
        ({**AZURE, "model": "mine"}, "azure", RESPONSES, "mine"),
        ({**AZURE, "openai_api_key": "k"}, "openai", RESPONSES, "gpt-5-mini"),
        ({"provider": "bedrock"}, "bedrock", COMPLETIONS, "openai.gpt-oss-120b-1:0"),
        (
            {"provider": "bedrock", "model": "openai.gpt-5.4"},
            "bedrock",
            RESPONSES,
            "openai.gpt-5.4",
        ),
        (
            {"provider": "bedrock", "model": "us.openai.gpt-5"},
            "bedrock",
            RESPONSES,
            "us.openai.gpt-5",
        ),
        ({"provider": "bedrock", "model": "eu.a.b"}, "bedrock", COMPLETIONS, "eu.a.b"),
        ({"provider": "gemini", **OLLAMA, "gemini_api_key": "k"}, "gemini", COMPLETIONS, "llama"),
    ],
)
def test_settings_choose_the_provider_and_the_model(values, provider, api, default):
    choice = choose(settings(**values))
    assert (choice.provider, choice.models[0].api, choice.names[0]) == (provider, api, default)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"provider": "openai"}, "OPENAI_API_KEY is needed for the provider openai"),
        ({"provider": "gemini"}, "GEMINI_API_KEY is needed"),
        ({"provider": "azure", "model": "m"}, "AZURE_OPENAI_API_KEY is needed"),
        ({"azure_openai_api_key": "k", "model": "m"}, "AZURE_OPENAI_ENDPOINT is needed"),
        (AZURE, "CHATKIT_PROVIDER=azure needs CHATKIT_MODEL"),
        ({"provider": "compatible", "model": "m"}, "OPENAI_BASE_URL is needed"),
        ({"provider": "bedrock", "bedrock_project": "proj_1"}, "needs CHATKIT_BEDROCK_ENDPOINT"),
    ],
)
def test_a_provider_that_lacks_a_setting_is_refused_at_the_start(values, says):
    with pytest.raises(ValueError, match=says):
        choose(settings(**values))


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


CLAUDE = {
    "id": "claude",
    "label": "Claude",
    "provider": "bedrock",
    "model": "eu.anthropic.claude-sonnet-4-6",
    "temperature": 0.5,
}
MINE = {"id": "mine", "provider": "azure", "api": COMPLETIONS, "reasoning_effort": "low"}


def listed(*models, **values):
    return choose(settings(models=json.dumps(models), **values))


def test_each_model_of_the_picker_may_have_its_own_provider():
    choice = listed(
        CLAUDE, MINE,
        {"id": "llama", "provider": "compatible"}, {"id": "gpt-5", "provider": "openai"},
        **AZURE, openai_base_url="http://localhost:1/v1", openai_api_key="k",
    )  # fmt: skip
    found = [(m.id, m.label, m.provider, m.name, m.api) for m in choice.models]
    assert found == [
        ("claude", "Claude", "bedrock", "eu.anthropic.claude-sonnet-4-6", COMPLETIONS),
        ("mine", "mine", "azure", "mine", COMPLETIONS),
        ("llama", "llama", "compatible", "llama", COMPLETIONS),
        ("gpt-5", "gpt-5", "openai", "gpt-5", RESPONSES),
    ]
    addresses = [m.endpoint.base_url for m in choice.models]
    assert addresses == [
        None,
        "https://my.openai.azure.com/openai/v1/",
        "http://localhost:1/v1",
        "https://api.openai.com/v1",
    ]
    assert choice.labels_for(RequestContext("ada"))["claude"] == "Claude"


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({}, ("claude", "mine")),
        ({"model": "mine"}, ("mine", "claude")),
        ({"openai_api_key": "k", "model": "gpt-5"}, ("gpt-5", "claude", "mine")),
    ],
)
def test_the_first_model_of_the_list_answers_by_default_unless_one_is_named(values, names):
    assert listed(CLAUDE, MINE, **AZURE, **values).names == names


@pytest.mark.parametrize(
    "model",
    ['[{"id": "a", "provider": "aol"}]', '[{"id": "a", "key": "k"}]', '[{"label": "a"}]', "[{]",
     '[{"id": "a", "temperature": 3}]'],
)  # fmt: skip
def test_a_list_of_another_form_is_refused(model):
    with pytest.raises(ValueError, match="models"):
        settings(models=model)


async def test_only_openai_gets_the_key_of_openai_where_another_server_is_in_use_too():
    both = listed(
        {"id": "gpt-5", "provider": "openai"}, {"id": "llama", "provider": "compatible"},
        openai_base_url="http://localhost:1/v1", openai_api_key="openai's",
    )  # fmt: skip
    assert [await model.api_key() for model in both.models] == ["openai's", ""]
    alone = choose(settings(**OLLAMA, openai_api_key="the server's"))
    assert await alone.models[0].api_key() == "the server's"
    own = choose(settings(**OLLAMA, openai_api_key="o", compatible_api_key="the server's"))
    assert await own.models[0].api_key() == "the server's"


def test_the_fallback_is_one_of_the_list_or_a_further_model_of_the_same_provider():
    further = choose(settings(**OLLAMA, fallback_model="small"))
    assert (further.names, further.every_name) == (("llama",), ("llama", "small"))
    assert further.model("small").endpoint == further.model("llama").endpoint
    one = listed(CLAUDE, MINE, **AZURE, fallback_model="mine")
    assert one.every_name == one.names
    assert one.fallback_of("claude") == one.model("mine")
    assert one.fallback_of("mine") is None
    with pytest.raises(ValueError, match="answers for everybody, so it can need no role"):
        choose(settings(models="b (staff)", fallback_model="b", **ROLES))


@pytest.fixture
def provider():
    """A server of models that speaks both APIs."""
    return OpenAIServer(Say("Hi"))


async def asked(agent_settings=None, **values):
    """Ask the default model of these settings."""
    choice = choose(settings(model="m", **values))
    agent = Agent(name="A", tools=[nothing], model_settings=agent_settings or ModelSettings())
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


async def test_a_resource_of_azure_gets_its_key_in_a_header_of_its_own(provider):
    async def under_openai(scope, receive, send):
        if scope["type"] == "http":
            assert scope["path"] == "/openai/v1/responses"
            scope = {**scope, "path": "/v1/responses"}
        await provider.app(scope, receive, send)

    with served(under_openai) as url:
        assert await asked(azure_openai_endpoint=url, azure_openai_api_key="k") == "Hi"
    (headers,) = provider.headers
    assert headers["api-key"] == "key"
    assert "authorization" not in headers


@pytest.mark.parametrize(
    "endpoint",
    ["https://my.openai.azure.com", "https://my.openai.azure.com/openai/v1/?api-version=1"],
)
def test_the_address_of_azure_may_be_that_of_the_resource_or_of_its_api(endpoint):
    choice = choose(settings(**{**AZURE, "azure_openai_endpoint": endpoint}, model="m"))
    assert choice.models[0].endpoint.base_url == "https://my.openai.azure.com/openai/v1/"


PRESET = {"id": "m", "provider": "compatible", "reasoning_effort": "high", "temperature": 0.5}


@pytest.mark.parametrize("api", [COMPLETIONS, RESPONSES])
@pytest.mark.parametrize(
    ("own", "effort", "temperature"),
    [
        (None, "high", 0.5),
        (ModelSettings(temperature=0, reasoning=Reasoning(effort="low")), "low", 0),
        (ModelSettings(reasoning=Reasoning(summary="auto")), "high", 0.5),
    ],
)
async def test_what_the_list_says_of_a_model_is_used_unless_the_agent_says_so_itself(
    provider, api, own, effort, temperature
):
    models = json.dumps([{**PRESET, "api": api}])
    with served(provider.app) as url:
        await asked(own, models=models, openai_base_url=f"{url}/v1")
    (request,) = provider.requests
    sent = request.get("reasoning_effort") or request["reasoning"]["effort"]
    assert (sent, request["temperature"]) == (effort, temperature)


def test_without_a_provider_the_offline_demo_answers():
    choice = choose(settings())
    assert isinstance(build(choice, choice.names[0], "", DemoScript()), DemoModel)
