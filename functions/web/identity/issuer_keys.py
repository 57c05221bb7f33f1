"""The public keys of an OpenID Connect issuer.

They are found by discovery, kept in this process, and fetched again

- when a token names a key that is not known, at most once in `MIN_INTERVAL`, because anybody can
  send a token with an invented key id;
- when they are older than `FRESH`, so that a key which the issuer has withdrawn stops working.

Many requests share one fetch. When a fetch fails, the known keys stay: an issuer that is down for
an hour signs nobody out.

All times are wall-clock times. Lambda freezes the process between two requests, and a monotonic
clock may stand still meanwhile: keys would look fresh for days, and a fetch that was under way when
the process froze, whose connection is dead, would look as if it had just begun.

https://openid.net/specs/openid-connect-discovery-1_0.html, RFC 7517
"""

import asyncio
import json
import logging
import math
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx2
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from ...addresses import is_loopback

MIN_INTERVAL = 30.0
"""Seconds between two fetches while keys are known."""

FIRST_RETRY = 3.0
"""Seconds between two fetches while none is known, and nobody can be let in."""

FRESH = 3600.0
"""Seconds after which known keys are fetched again."""

FETCH_SECONDS = 5.0
"""Longest time of a fetch, which is two requests."""

REFRESH_WAIT = 1.0
"""Seconds that a request whose key is known waits for newer ones, then goes on with what is there.
It does wait, because in Lambda nothing runs after the answer. Keys of twice the age of `FRESH` are
worth a wait of `FETCH_SECONDS`."""

MAX_BYTES = 262_144
"""Size of an answer of the issuer. Large issuers have some ten keys, of 2 KB each."""

ALGORITHMS = {
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "RS512": ("RSA", None),
    "PS256": ("RSA", None),
    "PS384": ("RSA", None),
    "PS512": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""The signatures that are accepted, with the type and the curve of their keys. Never `none`, and
never HMAC: its secret would be the issuer's public key."""

logger = logging.getLogger(__name__)


class KeysUnavailableError(RuntimeError):
    """The issuer's keys could not be fetched, and the one that is needed is not known."""


class _FetchError(Exception):
    """Why a fetch failed, for the log."""


class IssuerKeys:
    """The keys of one issuer, for one event loop."""

    def __init__(self, issuer: str, clock: Callable[[], float] = time.time) -> None:
        self._issuer = issuer
        self._clock = clock
        self._keys: list[dict[str, Any]] = []
        self._fetched = -math.inf
        self._begun = -math.inf
        self._failed = False
        self._task: asyncio.Task[None] | None = None

    async def find(self, key_id: str | None, algorithm: str) -> list[PyJWK]:
        """The keys that a token with this header may be signed with; mostly one.

        Two keys with one id are both returned. Without an id there is a key only when the issuer
        has just one that fits (OpenID Connect Core, 10.1). `algorithm` is one of `ALGORITHMS`.
        Raises `KeysUnavailableError`.
        """
        found = self._fitting(key_id, algorithm)
        if not found:
            await self._fetch_once()
            found = self._fitting(key_id, algorithm)
            if not found and self._failed:
                raise KeysUnavailableError
        elif self._since(self._fetched) >= FRESH and not self._under_way():
            # A key that is this old may be withdrawn: its issuer has the whole time to answer.
            old = self._since(self._fetched) >= 2 * FRESH
            await self._fetch_once(wait=None if old else REFRESH_WAIT)
            found = self._fitting(key_id, algorithm)
        return found

    def _fitting(self, key_id: str | None, algorithm: str) -> list[PyJWK]:
        fitting = [key for key in self._keys if _fits(key, algorithm)]
        if key_id is not None:
            fitting = [key for key in fitting if key.get("kid") == key_id]
        elif len(fitting) > 1:
            return []
        return [made for key in fitting if (made := _made(key, algorithm)) is not None]

    async def _fetch_once(self, wait: float | None = None) -> None:
        """Fetch, or wait for the fetch that is under way. Does nothing when it is too early."""
        if not self._under_way():
            pause = MIN_INTERVAL if self._keys else FIRST_RETRY
            if self._since(self._begun) < pause:
                return
            if self._task is not None:
                self._task.cancel()  # it stood still in a freeze
            self._begun = self._clock()
            self._task = asyncio.create_task(self._fetch())
        assert self._task is not None  # noqa: S101 - for mypy
        # Unlike `await`, this neither ends the fetch with the request nor raises its errors.
        await asyncio.wait({self._task}, timeout=wait)

    def _under_way(self) -> bool:
        return (
            self._task is not None
            and not self._task.done()
            and self._since(self._begun) <= FETCH_SECONDS
        )

    def _since(self, moment: float) -> float:
        passed = self._clock() - moment
        return passed if passed >= 0 else math.inf  # the clock was set back

    async def _fetch(self) -> None:
        self._failed = True
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                self._keys = await self._read_keys()
        except Exception as error:  # noqa: BLE001 - whatever an issuer sends, known keys stay
            reason = str(error) if isinstance(error, _FetchError) else type(error).__name__
            logger.warning("the keys of the issuer %s cannot be read: %s", self._issuer, reason)
        else:
            self._failed = False
            self._fetched = self._clock()

    async def _read_keys(self) -> list[dict[str, Any]]:
        # A client for each fetch: an hour later a kept connection would be dead.
        # It is made in a thread, because it reads the authorities' certificates.
        made = await asyncio.to_thread(
            httpx2.AsyncClient,
            timeout=FETCH_SECONDS,
            trust_env=not is_loopback(urlsplit(self._issuer).hostname),
            headers={"accept": "application/json", "accept-encoding": "identity"},
        )
        async with made as client:
            # Discovery, 4: a `/` at the end of the issuer is removed first.
            place = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
            metadata = await _read(client, place)
            if metadata.get("issuer") != self._issuer:
                raise _FetchError(
                    "its metadata names another issuer (compare the / at the end): "
                    f"{str(metadata.get('issuer'))[:200]!r}"
                )
            address = metadata.get("jwks_uri")
            if not isinstance(address, str) or not _is_safe(address):
                raise _FetchError("its metadata has no jwks_uri with https")
            keys = (await _read(client, address)).get("keys")
        if not isinstance(keys, list) or not any(
            isinstance(key, dict) and key.get("kty") in {"RSA", "EC", "OKP"} for key in keys
        ):
            raise _FetchError("it has no public keys: does it sign with a shared secret?")
        return [key for key in keys if isinstance(key, dict)]


async def _read(client: httpx2.AsyncClient, address: str) -> dict[str, Any]:
    """The JSON object at an address, which may not redirect."""
    body = bytearray()
    async with client.stream("GET", address) as answer:
        if answer.status_code != httpx2.codes.OK:
            raise _FetchError(f"{address} answers {answer.status_code}")
        # Raw, so that nothing small unpacks to something huge.
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) > MAX_BYTES:
                raise _FetchError(f"{address} has more than {MAX_BYTES} bytes")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise _FetchError(f"{address} is not a JSON object")
    return document


def _is_safe(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))


def _fits(key: dict[str, Any], algorithm: str) -> bool:
    """Whether a key may sign with this algorithm, by all that it says of itself (RFC 7517, 4)."""
    kind, curve = ALGORITHMS[algorithm]
    operations = key.get("key_ops")
    return (
        key.get("kty") == kind
        and (curve is None or key.get("crv") == curve)
        and key.get("use") in (None, "sig")
        and key.get("alg") in (None, algorithm)
        and (operations is None or (isinstance(operations, list) and "verify" in operations))
    )


def _made(key: dict[str, Any], algorithm: str) -> PyJWK | None:
    try:
        return PyJWK(key, algorithm)
    except (PyJWTError, ValueError, TypeError):
        return None  # a part of the key is missing or wrong
