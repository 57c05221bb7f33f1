"""Reads the key that signs the tokens of anonymous users."""

from ...aws.secret_values import read_secret
from ...settings import Settings
from .visitor import SigningKey

MIN_BYTES = 32
"""HS256 requires a key that is at least as long as its digest (RFC 7518, 3.2)."""


def signing_key(settings: Settings) -> SigningKey:
    """The configured key, or the one in the configured secret.

    Raises `ValueError` at once when neither is configured or when the key is too short. Without a
    key a deployment cannot tell its visitors apart.
    """
    if settings.cookie_key is not None:
        key = settings.cookie_key.get_secret_value()
        if len(key.encode()) < MIN_BYTES:
            raise ValueError(f"CHATKIT_COOKIE_KEY is shorter than {MIN_BYTES} bytes")

        async def configured() -> str:
            return key

        return configured

    if settings.cookie_key_secret is None:
        raise ValueError("CHATKIT_COOKIE_KEY or CHATKIT_COOKIE_KEY_SECRET must be set")
    name = settings.cookie_key_secret

    async def from_secret() -> str:
        return await read_secret(name)

    return from_secret
