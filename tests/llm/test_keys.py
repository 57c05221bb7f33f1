"""A provider's key from a secret is checked like one from the environment."""

import pytest

from functions.aws.secret_values import SecretUnavailableError
from functions.llm import keys
from functions.settings import Settings


@pytest.fixture
def key(monkeypatch):
    """The OpenAI key when its secret has a given value."""

    async def of(value):
        async def read(_):
            return value

        monkeypatch.setattr(keys, "read_secret", read)
        return await keys.openai_key(Settings(_env_file=None, openai_api_key_secret="s"))()

    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return of


async def test_white_space_around_a_secret_key_is_removed(key):
    assert await key("sk-1\n") == "sk-1"


async def test_a_secret_key_that_cannot_be_sent_is_unavailable(key):
    with pytest.raises(SecretUnavailableError, match="cannot be sent") as raised:
        await key("sk-“1”")
    assert "1”" not in str(raised.value)
