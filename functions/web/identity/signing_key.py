"""The keys that sign the tokens of anonymous users: from a setting, or from a secret.

A setting or secret holds one key as it is, or several as a JSON list, newest first. The newest key
signs, and all are accepted, so that a new key makes nobody a new visitor.
"""

import asyncio
import json
import logging
import secrets
from time import time
from typing import Protocol

from ...aws.secret_values import SecretUnavailableError, read_secret
from ...errors import PublicError
from ...settings import Settings
from .anonymous import Keys

MIN_BYTES = 32
"""HS256 requires a key that is at least as long as its digest (RFC 7518, 3.2). Whoever
guesses a key can sign valid tokens."""

AGAIN_SECONDS = 5.0
"""Seconds between two early reads of the secret, however many forged tokens arrive."""

logger = logging.getLogger(__name__)


class WeakKeyError(ValueError):
    """There is no key, or a key is too short. The message does not contain it."""


class SigningKeys(Protocol):
    """Where the keys are from."""

    async def current(self) -> Keys:
        """The keys. Raises `PublicError` (424) when they cannot be read or are too short."""

    async def again(self) -> Keys:
        """The keys, which may have changed: a token is signed with none of the current ones."""


def signing_keys(settings: Settings) -> SigningKeys:
    """The configured keys, or those in the configured secret.

    Raises `ValueError` at once when neither is configured or when a configured key is too short.
    Without a key a deployment cannot tell its visitors apart.
    """
    if settings.cookie_key is not None:
        try:
            return _Configured(read_keys(settings.cookie_key.get_secret_value()))
        except WeakKeyError as error:
            raise ValueError(f"CHATKIT_COOKIE_KEY: {error}") from None
    if settings.cookie_key_secret is None:
        raise ValueError("CHATKIT_COOKIE_KEY or CHATKIT_COOKIE_KEY_SECRET must be set")
    return _Secret(settings.cookie_key_secret)


def read_keys(text: str) -> Keys:
    """The keys in a setting or secret. Raises `WeakKeyError` unless each has 32 bytes."""
    keys = _listed(text)
    if not keys or any(len(key.encode()) < MIN_BYTES for key in keys):
        raise WeakKeyError(f"a key that signs cookies needs {MIN_BYTES} bytes or more")
    return keys


def rotated(text: str, *, leaked: bool = False) -> str:
    """A secret's value with a new key in front of the newest one, which stays accepted.

    A key that is too short does not stay, and none does when keys have `leaked`: whoever knows
    one could get tokens of the new key with it.
    """
    newest = [] if leaked else _listed(text)[:1]
    kept = [key for key in newest if len(key.encode()) >= MIN_BYTES]
    return json.dumps([secrets.token_urlsafe(48), *kept])


def _listed(text: str) -> list[str]:
    try:
        keys = json.loads(text)
    except ValueError:
        return [text]
    is_list = isinstance(keys, list) and all(isinstance(key, str) for key in keys)
    return keys if is_list else [text]  # any other JSON is a key itself, as in version 0.1


class _Configured:
    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def current(self) -> Keys:
        return self._keys

    async def again(self) -> Keys:
        return self._keys


class _Secret:
    def __init__(self, name: str) -> None:
        self._name = name
        self._again = asyncio.Lock()
        self._read_again = float("-inf")

    async def current(self) -> Keys:
        return await self._read()

    async def again(self) -> Keys:
        async with self._again:  # one read for all who wait here
            # The clock of the day: another one may stand still while Lambda freezes the process.
            if 0 <= time() - self._read_again < AGAIN_SECONDS:
                return await self._read()
            try:
                return await self._read(again=True)
            finally:
                self._read_again = time()

    async def _read(self, *, again: bool = False) -> Keys:
        # A 4xx, so that ChatKit's element does not send the request five times more: neither a
        # short key nor a missing right is mended by that, and a person can try again.
        try:
            return read_keys(await read_secret(self._name, again=again))
        except WeakKeyError as error:
            reason = f"the secret {self._name}: {error}: run make secret KEY=cookie"
        except SecretUnavailableError as error:
            reason = str(error)
        logger.error("nobody can be identified: %s", reason)  # text: of exceptions only the type
        raise PublicError(
            424, "This chat cannot tell who you are right now. Please try again in a while."
        )
