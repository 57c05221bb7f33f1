"""The second function with moto behind it: its app, and users who call it."""

from secrets import token_hex

import httpx2
import pytest

from functions.actions.app import create_app
from functions.settings import Settings, forget_settings
from infra.local.cloud import local_cloud
from tests.support.person import KEY, Person


@pytest.fixture(scope="module")
def cloud():
    """moto with the table and the bucket. The environment points there; yields its variables."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ENDPOINT_URL", "OPENAI_API_KEY", "GEMINI_API_KEY", "OPENAI_BASE_URL"):
            patch.delenv(name, raising=False)
        # Set here, so that the end of this fixture undoes what local_cloud sets.
        for name in (
            "AWS_ENDPOINT_URL",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_REGION",
        ):
            patch.setenv(name, "")
        patch.setenv("CHATKIT_COOKIE_KEY", KEY)
        patch.setenv("CHATKIT_ASSISTANT", "tests.assistants.sample")
        # All moto servers of a process share their state: each module needs names of its own.
        name = f"actions-{token_hex(4)}"
        patch.setenv("CHATKIT_TABLE", name)
        patch.setenv("CHATKIT_ATTACHMENTS_BUCKET", name)
        forget_settings()
        with local_cloud(Settings(_env_file=None)) as variables:
            yield {**variables, "CHATKIT_COOKIE_KEY": KEY}
    forget_settings()


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
