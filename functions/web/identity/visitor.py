"""Identifies the visitor who sent a request, and sends a new visitor their token."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ...context import RequestContext
from ..page_facts import language, page_facts
from ..run_id import run_id_of
from .anonymous import LIFETIME, new_user, read_user

COOKIE = "chatkit_session"
TOKEN_HEADER = "x-chatkit-authorization"  # noqa: S105 - a header's name
NEW_TOKEN_HEADER = "x-chatkit-token"  # noqa: S105 - a header's name

SigningKey = Callable[[], Awaitable[str]]
"""Returns the signing key. In AWS it reads a secret, once."""


@dataclass(frozen=True)
class Visitor:
    """The visitor who sent one request.

    `cross_origin` says that the page is on another origin and has to store `token` itself.
    `fresh` says that the visitor does not have the token yet.
    """

    user_id: str
    expires_at: datetime
    cross_origin: bool
    fresh: bool
    token: str

    def send_token(self, request: Request, response: Response) -> None:
        """Add a fresh token to the response: as a cookie, or as a header for another origin."""
        if not self.fresh:
            return
        if self.cross_origin:
            response.headers[NEW_TOKEN_HEADER] = self.token
            return
        response.set_cookie(
            COOKIE,
            self.token,
            max_age=int(LIFETIME.total_seconds()),
            path="/",
            secure=_over_tls(request),
            httponly=True,
            samesite="lax",
        )


class AnonymousIdentity:
    """Identifies visitors by their signed token, and makes a token for a new visitor.

    A forged or expired token is replaced. It is not an error, because an anonymous visitor could
    do nothing about it.
    """

    def __init__(self, signing_key: SigningKey, allowed_origins: list[str]) -> None:
        self._signing_key = signing_key
        self._allowed_origins = frozenset(allowed_origins)

    async def identify(self, request: Request) -> Visitor:
        key = await self._signing_key()
        user = (
            read_user(_bearer(request), key)
            or read_user(request.cookies.get(COOKIE), key)
            or new_user(key)
        )
        return Visitor(
            user_id=user.id,
            expires_at=user.expires_at,
            # Behind CloudFront the Host header is the function's own URL, so the origin is
            # compared with the configured ones only.
            cross_origin=request.headers.get("origin") in self._allowed_origins,
            fresh=user.fresh,
            token=user.token,
        )


def request_context(
    request: Request, visitor: Visitor, metadata: dict[str, Any] | None = None
) -> RequestContext:
    """The context of a request. `metadata` is the metadata in the request's body.

    Raises `PublicError` (422) when the request's run id is none.
    """
    abilities = request.headers.get("x-chatkit-page-can")
    return RequestContext(
        user_id=visitor.user_id,
        run_id=run_id_of(request),
        locale=language(request),
        page=page_facts(request, keep_query=request.app.state.settings.page_query),
        page_abilities=None if abilities is None else frozenset(abilities.split()),
        metadata=metadata or {},
    )


def _bearer(request: Request) -> str | None:
    for header in (TOKEN_HEADER, "authorization"):
        scheme, _, token = request.headers.get(header, "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return token.strip()
    return None


def _over_tls(request: Request) -> bool:
    forwarded = request.headers.get("x-forwarded-proto", "").split(",")[0].strip()
    return (forwarded or request.url.scheme) == "https"
