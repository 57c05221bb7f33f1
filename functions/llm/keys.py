"""The providers' keys: from the environment or, in AWS, from the secrets that it names."""

from collections.abc import Awaitable, Callable

from pydantic import SecretStr

from ..aws.secret_values import SecretUnavailableError, read_secret
from ..settings import Settings, sendable_key

Key = Callable[[], Awaitable[str]]
"""Returns a provider's key, empty when there is none. Call it only when a request needs the key,
because a snapshot must not hold a secret. Raises `SecretUnavailableError`."""


def openai_key(settings: Settings) -> Key:
    return _key(settings.openai_api_key, settings.openai_api_key_secret)


def compatible_key(settings: Settings) -> Key:
    """The key of the server at `OPENAI_BASE_URL`, which may need none."""
    return _key(settings.compatible_api_key, settings.compatible_api_key_secret)


def gemini_key(settings: Settings) -> Key:
    return _key(settings.gemini_api_key, settings.gemini_api_key_secret)


def azure_key(settings: Settings) -> Key:
    return _key(settings.azure_openai_api_key, settings.azure_openai_api_key_secret)


def transcription_key(settings: Settings) -> Key:
    """The key of the server behind `transcription_base_url`, which may need none."""
    return _key(settings.transcription_api_key, settings.transcription_api_key_secret)


def embedding_key(settings: Settings) -> Key:
    """The key of the server behind `embedding_base_url`, which may need none."""
    return _key(settings.embedding_api_key, settings.embedding_api_key_secret)


async def no_key() -> str:
    return ""


def _key(value: SecretStr | None, secret: str | None) -> Key:
    async def key() -> str:
        if value is not None:
            return value.get_secret_value()
        if secret is None:
            return ""
        try:
            return sendable_key(await read_secret(secret))
        except ValueError as error:
            raise SecretUnavailableError(f"The secret {secret}: {error}") from None

    return key
