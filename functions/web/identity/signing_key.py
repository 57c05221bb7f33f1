"""Where the key that signs anonymous tokens comes from."""

from ...aws.secret_values import read_secret
from ...settings import Settings
from .visitor import SigningKey

MINIMUM = 32
"""Bytes: HS256 wants a key at least as long as its digest (RFC 7518, 3.2)."""


def signing_key(settings: Settings) -> SigningKey:
    """The configured key, or the secret that is named in its place.

    Raises `ValueError` at once when there is neither, or when the key is short:
    an anonymous deployment without one could not keep people apart.
    """
    if settings.cookie_key is not None:
        key = settings.cookie_key.get_secret_value()
        if len(key.encode()) < MINIMUM:
            raise ValueError(f"CHATKIT_COOKIE_KEY is shorter than {MINIMUM} bytes")

        async def configured() -> str:
            return key

        return configured

    if settings.cookie_key_secret is None:
        raise ValueError("CHATKIT_COOKIE_KEY or CHATKIT_COOKIE_KEY_SECRET must be set")
    name = settings.cookie_key_secret

    async def from_secret() -> str:
        return await read_secret(name)

    return from_secret
