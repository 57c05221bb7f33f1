"""The second function with moto behind it: its app, and users who call it."""

import httpx2
import pytest

from functions.actions.app import create_app
from functions.settings import Settings
from tests.support.cloud import own_cloud
from tests.support.person import KEY, Person


@pytest.fixture(scope="module")
def cloud():
    """moto with the table and the bucket. Sets the environment and yields its variables."""
    own = {"CHATKIT_COOKIE_KEY": KEY, "CHATKIT_ASSISTANT": "tests.assistants.sample"}
    with pytest.MonkeyPatch.context() as patch, own_cloud(patch, **own) as variables:
        yield {**variables, "CHATKIT_COOKIE_KEY": KEY}


@pytest.fixture
def settings(cloud):
    return Settings(_env_file=None)


@pytest.fixture
async def http(settings):
    app = create_app(settings)
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def people(http):
    """`people()` returns a new user."""
    return lambda: Person(http)


@pytest.fixture
def ada(people):
    return people()
