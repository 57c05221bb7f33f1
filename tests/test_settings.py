"""Settings come from the environment and from .env files, and are validated."""

import pytest
from pydantic import ValidationError

from functions.settings import Settings


@pytest.fixture
def files(tmp_path, monkeypatch):
    for name in ("CHATKIT_MODEL", "OPENAI_API_KEY", "CHATKIT_TABLE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".env").write_text("CHATKIT_MODEL=from-env-file\nCHATKIT_TABLE=from-env-file\n")
    (tmp_path / ".env.local").write_text("CHATKIT_MODEL=from-env-local\nOPENAI_API_KEY=k\n")
    return (tmp_path / ".env", tmp_path / ".env.local")


def test_the_environment_overrides_dot_env_local_which_overrides_dot_env(files, monkeypatch):
    settings = Settings(_env_file=files)
    assert (settings.model, settings.table) == ("from-env-local", "from-env-file")
    assert settings.openai_api_key.get_secret_value() == "k"
    monkeypatch.setenv("CHATKIT_MODEL", "from-environment")
    assert Settings(_env_file=files).model == "from-environment"


def test_the_env_files_are_those_at_the_root():
    root_files = [path.name for path in Settings.model_config["env_file"]]
    assert root_files == [".env", ".env.local"]


def test_an_empty_variable_counts_as_unset(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "")
    assert not Settings(_env_file=None).has_openai_key


def test_a_key_is_never_printed(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "swordfish")
    assert "swordfish" not in repr(Settings(_env_file=None))


@pytest.mark.parametrize("origin", ["*", "https://*.example", "https://a.example/", "a.example"])
def test_an_origin_that_is_not_exact_is_rejected(origin):
    with pytest.raises(ValidationError, match="is not an origin"):
        Settings(_env_file=None, allowed_origins=origin)


def test_origins_are_separated_by_commas():
    settings = Settings(_env_file=None, allowed_origins="https://a.example, http://localhost:5173")
    assert settings.allowed_origins == ["https://a.example", "http://localhost:5173"]


KEYS = ("openai_api_key", "gemini_api_key", "transcription_api_key")


@pytest.mark.parametrize("name", KEYS)
def test_white_space_around_a_key_is_removed(name):
    settings = Settings(_env_file=None, **{name: " \tsk-1\r\n"})
    assert getattr(settings, name).get_secret_value() == "sk-1"


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("key", ["“sk-1”", "sk\n1", "sk-\x00", "schlüssel"])
def test_a_key_that_cannot_be_sent_is_rejected_without_being_printed(name, key):
    with pytest.raises(ValidationError, match="cannot be sent in a request") as raised:
        Settings(_env_file=None, **{name: key})
    assert key not in str(raised.value)


def test_a_key_of_white_space_counts_as_unset(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "  ")
    assert not Settings(_env_file=None).has_openai_key


@pytest.mark.parametrize("name", ["openai_base_url", "transcription_base_url"])
@pytest.mark.parametrize("address", ["localhost:11434/v1", "http://", "http://[::1", "http://a:b"])
def test_an_address_that_is_none_is_rejected(name, address):
    with pytest.raises(ValidationError):
        Settings(_env_file=None, **{name: address})


def test_white_space_around_an_address_is_removed():
    settings = Settings(_env_file=None, openai_base_url=" http://localhost:11434/v1\n")
    assert settings.openai_base_url == "http://localhost:11434/v1"
