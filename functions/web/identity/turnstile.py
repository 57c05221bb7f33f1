"""Cloudflare's Turnstile: a challenge that is solved before an anonymous identity is made.

The page's widget gives a token, and Cloudflare says whether it is good: for 300 seconds, and once.
https://developers.cloudflare.com/turnstile/get-started/server-side-validation/

A good token must also be for this chat. One widget may serve several sites and forms, and all of
their tokens are good for its secret. So the host that the challenge was shown on must be ours or
that of an allowed origin, and the widget's action must be `ACTION`. Cloudflare protects both from
changes. Its testing keys name neither, so they let nobody in.

Whoever cannot be verified is refused, also when Cloudflare does not answer. If an outage let
everybody in, a program would only have to wait for one, or to cause one. Visitors who have an
identity already are not affected. Such a refusal is a 424 and no 5xx, after which ChatKit's
element would send its request again five times.
"""

import asyncio
import logging
import random
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
from pydantic import BaseModel, Field, StrictBool, ValidationError
from starlette.requests import Request

from ...addresses import is_loopback
from ...aws.secret_values import SecretUnavailableError, read_secret
from ...errors import PublicError
from ...proxies import check_proxies
from ...settings import Settings
from ...telemetry import name_or_dash
from ..viewer import page_origin, viewer_ip

CHALLENGE_REQUIRED = "challenge_required"
"""The `code` of a 401 by which the page knows that a challenge has to be solved first."""

ACTION = "chatkit_session"
"""The action of our widget, which Cloudflare tells with its verdict."""

MAX_CHALLENGE = 2048
"""Characters of a token, as Cloudflare says."""

ATTEMPT_SECONDS = 3.0
"""Longest time of one attempt, from the connection to the last byte. There are two, unless the
secret is wrong, with one `idempotency_key`: with it a token may be verified again. The page waits
15 seconds for its session, and a cold start may be among them."""

PAUSE = (0.1, 0.4)
"""Seconds between the attempts, at random so that many requests do not come back together."""

MAX_BYTES = 65_536
"""Size of a verdict. It is some hundred bytes."""

_OUR_FAULT = {"missing-input-secret", "invalid-input-secret"}
_NO_VERDICT = {*_OUR_FAULT, "internal-error"}
"""Codes that say nothing of the token."""

logger = logging.getLogger(__name__)


class _NoVerdictError(Exception):
    """Why there is no verdict, for the log."""


class _Verdict(BaseModel):
    success: StrictBool
    codes: list[str] = Field(default_factory=list, alias="error-codes")
    hostname: str | None = None
    action: str | None = None


class Turnstile:
    """Verifies solved challenges. Make one for a process."""

    def __init__(self, settings: Settings) -> None:
        """Raises `ValueError` for a proxy that cannot be used. Opens no connection."""
        check_proxies()
        self._settings = settings
        self._client: httpx2.AsyncClient | None = None

    async def check(self, request: Request, token: str | None) -> None:
        """Return when the request brings the token of a challenge that was solved for this chat.

        Otherwise it raises `PublicError`: 401 with the code `CHALLENGE_REQUIRED` when there is no
        token or a bad one, and 424 when nobody can say.
        """
        if not token:
            raise _challenge("Please show first that you are a person.")
        try:
            verdict = await self._verdict(token, viewer_ip(request, self._settings))
        except (_NoVerdictError, SecretUnavailableError) as error:
            # As text, since of exceptions the log has the type alone. It holds no secret.
            logger.error("no challenge can be verified: %s", str(error))  # noqa: TRY400
            raise PublicError(
                424,
                "This chat cannot check right now that you are a person. "
                "Please try again in a moment.",
            ) from None
        if reason := self._objection(verdict, request):
            logger.warning("a challenge was refused: %s", reason)
            raise _challenge(
                "The check that you are a person did not succeed. Please do it once more."
            )

    def _objection(self, verdict: _Verdict, request: Request) -> str | None:
        """Why the token lets nobody in."""
        if not verdict.success:
            return " ".join(map(name_or_dash, verdict.codes)) or "without a reason"
        own = page_origin(request, self._settings)
        hosts = {_host(origin) for origin in (own, *self._settings.allowed_origins)}
        if verdict.hostname is None or verdict.hostname not in hosts:
            return f"it was solved on another host: {name_or_dash(verdict.hostname)}"
        if verdict.action != ACTION:
            return f"it was solved for another action: {name_or_dash(verdict.action)}"
        return None

    async def _verdict(self, token: str, ip: str | None) -> _Verdict:
        """What Cloudflare says. Raises `_NoVerdictError` and `SecretUnavailableError`."""
        asked = {
            "secret": await self._secret(),
            "response": token,
            "idempotency_key": str(uuid4()),
            **({"remoteip": ip} if ip else {}),
        }
        try:
            return await self._ask(asked)
        except _NoVerdictError as error:
            if str(error) in _OUR_FAULT:
                raise
        await asyncio.sleep(random.uniform(*PAUSE))  # noqa: S311
        return await self._ask(asked)

    async def _ask(self, asked: dict[str, Any]) -> _Verdict:
        """One attempt. Raises `_NoVerdictError`."""
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                status, body = await self._post(asked)
            verdict = _Verdict.model_validate_json(body)
        except ValidationError:
            raise _NoVerdictError(f"{status} without a verdict") from None
        except (TimeoutError, httpx2.HTTPError) as error:
            raise _NoVerdictError(type(error).__name__) from None
        if verdict.success and status != httpx2.codes.OK:
            raise _NoVerdictError(f"{status} with a success")
        for code in verdict.codes:
            if code in _NO_VERDICT:
                raise _NoVerdictError(code)
        return verdict

    async def _post(self, asked: dict[str, Any]) -> tuple[int, bytes]:
        client = await self._made_client()
        body = bytearray()
        url = self._settings.turnstile_verify_url
        async with client.stream("POST", url, json=asked) as answer:
            # Raw bytes: a small compressed answer could unpack to a huge one.
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > MAX_BYTES:
                    raise _NoVerdictError(f"an answer of more than {MAX_BYTES} bytes")
        return answer.status_code, bytes(body)

    async def _made_client(self) -> httpx2.AsyncClient:
        if self._client is None:
            # In a thread, because it reads the authorities' certificates. It keeps no connection,
            # which would be dead after Lambda has frozen the process, so it needs no closing.
            host = urlsplit(self._settings.turnstile_verify_url).hostname
            self._client = await asyncio.to_thread(
                httpx2.AsyncClient,
                timeout=ATTEMPT_SECONDS,
                limits=httpx2.Limits(max_keepalive_connections=0),
                trust_env=not is_loopback(host),
                headers={"accept": "application/json", "accept-encoding": "identity"},
            )
        return self._client

    async def _secret(self) -> str:
        if self._settings.turnstile_secret is not None:
            return self._settings.turnstile_secret.get_secret_value()
        name = self._settings.turnstile_secret_name
        assert name is not None  # noqa: S101 - `check_turnstile` asks for one of the two
        return (await read_secret(name)).strip()


def check_turnstile(settings: Settings) -> None:
    """Raise `ValueError`, with the name of the setting, when the `turnstile_*` do not fit."""
    has_secret = bool(settings.turnstile_secret or settings.turnstile_secret_name)
    if settings.turnstile_site_key is None:
        if has_secret:
            raise ValueError("CHATKIT_TURNSTILE_SECRET needs CHATKIT_TURNSTILE_SITE_KEY")
        return
    if not has_secret:
        raise ValueError("CHATKIT_TURNSTILE_SITE_KEY needs CHATKIT_TURNSTILE_SECRET")
    if settings.auth == "oidc" and not settings.oidc_optional:
        raise ValueError(
            "CHATKIT_TURNSTILE_SITE_KEY: with CHATKIT_AUTH=oidc there is no anonymous visitor to "
            "challenge (CHATKIT_OIDC_OPTIONAL=true lets visitors chat too)"
        )


def _host(origin: str | None) -> str | None:
    try:
        return urlsplit(origin).hostname if origin else None
    except ValueError:  # the `Host` header is no host name
        return None


def _challenge(message: str) -> PublicError:
    # A 401 names a scheme by which somebody may show who they are (RFC 9110, 15.5.2).
    header = {"www-authenticate": 'Bearer realm="chatkit"'}
    return PublicError(401, message, header, code=CHALLENGE_REQUIRED)
