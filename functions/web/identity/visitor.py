"""Identifies the visitor who sent a request, and sends a new visitor their token."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from time import time
from typing import Any

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response

from ...context import RequestContext
from ..page_facts import language, page_facts
from ..run_id import run_id_of
from . import cookies
from .anonymous import (
    BEARER,
    CLOCK_SKEW,
    COOKIE,
    FORMER,
    AnonymousUser,
    Purpose,
    UnknownSignatureError,
    made_at,
    new_user,
    read_user,
)
from .signing_key import SigningKeys
from .turnstile import Turnstile

TOKEN_HEADER = "x-chatkit-authorization"  # noqa: S105 - a header's name
NEW_TOKEN_HEADER = "x-chatkit-token"  # noqa: S105 - a header's name

NEW_SECONDS = 24 * 3600
"""Seconds for which an anonymous visitor is a newcomer."""


@dataclass(frozen=True)
class Visitor:
    """The visitor who sent one request.

    `by_header` says that the page has to keep `token` itself and to send it in a header, because it
    is on another origin. `fresh` says that the visitor does not have the token yet, and `new` that
    they had no valid token at all. `signed_in` and
    what follows are those of a person who has signed in.
    """

    user_id: str
    expires_at: datetime
    by_header: bool
    fresh: bool
    new: bool
    token: str
    began: float = 0.0
    """When the visitor signed in (Unix seconds). An anonymous visitor cannot sign in once more, so
    their sessions count as older than any sign-out."""
    signed_in: bool = False
    tenant: str | None = None
    roles: frozenset[str] = frozenset()
    name: str | None = None
    email: str | None = None
    issuer_token: SecretStr | None = None
    """The token of a signed-in person. It may be exchanged for one of an MCP server, and nothing
    else gets it: see `functions.mcp`."""
    network: str | None = None
    """A keyed digest of the network that the request came from: see `functions.web.network`."""

    @property
    def newcomer(self) -> bool:
        """Whether this is an anonymous visitor on their first day."""
        if self.signed_in:
            return False
        # Another environment, whose clock is ahead, may have made the id.
        return -CLOCK_SKEW.total_seconds() < time() - made_at(self.user_id) < NEW_SECONDS

    def send_token(self, request: Request, response: Response) -> None:
        """Add a fresh token to the response: as a cookie, or as a header for another origin."""
        if not self.fresh:
            return
        if self.by_header:
            response.headers[NEW_TOKEN_HEADER] = self.token
        else:
            cookies.put_token(request, response, self.token)


class AnonymousIdentity:
    """Identifies visitors by their signed token, and makes a token for a new visitor.

    A forged or expired token is replaced. It is not an error, because an anonymous visitor could
    do nothing about it. With `turnstile` a new visitor has to solve a challenge first.
    """

    def __init__(
        self,
        signing_keys: SigningKeys,
        allowed_origins: list[str],
        turnstile: Turnstile | None = None,
    ) -> None:
        self._keys = signing_keys
        self._allowed_origins = frozenset(allowed_origins)
        self._turnstile = turnstile

    async def identify(self, request: Request) -> Visitor:
        """The visitor. Raises `PublicError` when there is no key that can be used."""
        bearer = _bearer(request)
        if bearer and (user := await self._user(bearer, (BEARER, FORMER), BEARER)):
            return _visitor(user, BEARER)
        cookie, accepted = cookies.token_in(request)
        purpose = self._purpose(request)
        if cookie and (user := await self._user(cookie, accepted, purpose)):
            return _visitor(user, purpose)
        return await self.newcomer(request)

    async def newcomer(self, request: Request, challenge: str | None = None) -> Visitor:
        """A new visitor, whatever token the request has."""
        # First, because a challenge is used up by its verification.
        keys = await self._keys.current()
        if self._turnstile is not None:
            await self._turnstile.check(request, challenge)
        purpose = self._purpose(request)
        return _visitor(new_user(keys, purpose), purpose, new=True)

    def _purpose(self, request: Request) -> Purpose:
        # Behind CloudFront the Host header is the function's own URL, so the origin is compared
        # with the configured ones only.
        return BEARER if request.headers.get("origin") in self._allowed_origins else COOKIE

    async def _user(
        self, token: str, accepted: Sequence[Purpose], wanted: Purpose
    ) -> AnonymousUser | None:
        try:
            return read_user(token, await self._keys.current(), accepted, wanted)
        except UnknownSignatureError:
            # Another environment may sign with a newer key already.
            keys = await self._keys.again()
        try:
            return read_user(token, keys, accepted, wanted)
        except UnknownSignatureError:
            return None


def _visitor(user: AnonymousUser, purpose: Purpose, *, new: bool = False) -> Visitor:
    return Visitor(
        user_id=user.id,
        expires_at=user.expires_at,
        by_header=purpose is BEARER,
        fresh=user.fresh,
        new=new,
        token=user.token,
    )


def request_context(
    request: Request, visitor: Visitor, metadata: dict[str, Any] | None = None
) -> RequestContext:
    """The context of a request. `metadata` is the metadata in the request's body.

    Raises `PublicError` (422) when the run id in the header has a wrong form.
    """
    abilities = request.headers.get("x-chatkit-page-can")
    passed = request.app.state.passed_headers
    return RequestContext(
        user_id=visitor.user_id,
        run_id=run_id_of(request),
        locale=language(request),
        page=page_facts(request, keep_query=request.app.state.settings.page_query),
        page_abilities=None if abilities is None else frozenset(abilities.split()),
        metadata=metadata or {},
        headers={name: request.headers[name] for name in passed if name in request.headers},
        tenant=visitor.tenant,
        roles=visitor.roles,
        name=visitor.name,
        email=visitor.email,
        network=visitor.network,
        newcomer=visitor.newcomer,
    )


def _bearer(request: Request) -> str | None:
    for header in (TOKEN_HEADER, "authorization"):
        scheme, _, token = request.headers.get(header, "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return token.strip()
    return None
