"""The chat app over real HTTP, with moto and a model server on loopback behind it."""

import pytest

from functions.actions.app import create_app as create_actions
from functions.chat.app import create_app
from functions.limit_table import LimitTable
from functions.llm import demo_events
from functions.settings import Settings
from tests.support.chat import ELSEWHERE, Chat
from tests.support.cloud import own_cloud
from tests.support.issuer import AUDIENCE, CLIENT, bearer, issuing
from tests.support.limited import remove_counters
from tests.support.openai_server import OpenAIServer
from tests.support.served import served

KEY = "k" * 32


@pytest.fixture(scope="module")
def cloud():
    """moto with the table and the bucket, and an environment with their names."""
    own = {
        "CHATKIT_COOKIE_KEY": KEY,
        "CHATKIT_ASSISTANT": "tests.assistants.sample",
        "CHATKIT_ALLOWED_ORIGINS": ELSEWHERE,
    }
    with pytest.MonkeyPatch.context() as patch, own_cloud(patch, **own):
        yield


@pytest.fixture
def model():
    """The model server that the app calls over HTTP. Tests set its `script`."""
    return OpenAIServer()


@pytest.fixture
def model_url(model):
    with served(model.app) as url:
        yield f"{url}/v1"


@pytest.fixture(params=["responses", "chat_completions"])
def model_api(request):
    return request.param


@pytest.fixture
def app_settings(cloud, model_url):
    """Settings for that model. A test module may override this fixture."""
    return Settings(
        _env_file=None, openai_base_url=model_url, model="test", model_api="chat_completions"
    )


@pytest.fixture
def server(app_settings):
    with served(create_app(app_settings)) as url:
        yield url


@pytest.fixture
def demo(cloud, monkeypatch):
    """The app with the offline demo, which streams without pauses here."""
    monkeypatch.setattr(demo_events, "PACE", 0)
    with served(create_app(Settings(_env_file=None))) as url:
        yield url


@pytest.fixture
def ada(server):
    return Chat(server)


@pytest.fixture
def bob(server):
    return Chat(server)


@pytest.fixture
def actions(app_settings):
    """The second function, which handles Stop."""
    with served(create_actions(app_settings)) as url:
        yield url


@pytest.fixture(scope="module")
def issuer():
    with issuing() as made:
        yield made


@pytest.fixture
def sign_in_settings(cloud, issuer, model_url):
    """Makes settings with which people sign in."""

    def make(**changes):
        return Settings(
            _env_file=None,
            **{
                "openai_base_url": model_url,
                "model": "test",
                "model_api": "chat_completions",
                "models": "everybodys,secret (admin)",
                "auth": "oidc",
                "oidc_issuer": issuer.url,
                "oidc_client_id": CLIENT,
                "oidc_audience": AUDIENCE,
                "oidc_roles_claim": "roles",
                **changes,
            },
        )

    return make


@pytest.fixture
def person(issuer, server):
    """Makes a browser of somebody who has signed in."""

    def sign_in(**claims):
        chat = Chat(server)
        chat.http.headers.update(bearer(issuer.token(**claims)))
        return chat

    return sign_in


@pytest.fixture
def limited(app_settings, cloud):
    """`limited({"person": {…}})` is the address of an app with these limits, and of both functions
    with `actions=True`."""
    remove_counters()
    running = []

    def start(table, *, actions=False, **settings):
        made = app_settings.model_copy(
            update={"limits": LimitTable.model_validate(table), **settings}
        )
        create = create_actions if actions else create_app
        running.append(served(create(made)))
        return running[-1].__enter__()

    yield start
    for each in running:
        each.__exit__(None, None, None)
