"""People who have signed in at an OpenID Connect issuer. Imported only where they may."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr
from starlette.requests import Request

from ...proxies import check_proxies
from ...settings import Settings
from .anonymous import is_anonymous
from .bearer import bearer_token, not_signed_in
from .interface import Identity
from .person import person_of
from .tokens import TokenVerifier
from .visitor import Visitor


class OidcIdentity:
    """Identifies people by the token of their issuer.

    Without `anonymous`, everybody needs one. With it, a visitor without a token is anonymous; a
    token that is not valid is refused all the same, because whoever has signed in would otherwise
    find an empty history.
    """

    def __init__(self, settings: Settings, anonymous: Identity | None) -> None:
        """Raises `ValueError` when the settings do not suffice. Opens no connection."""
        check_settings(settings)
        check_proxies()
        self._settings = settings
        self._anonymous = anonymous
        self._verifier = TokenVerifier(
            str(settings.oidc_issuer),
            client_id=settings.oidc_client_id,
            audience=settings.oidc_audience,
            token=settings.oidc_token,
        )

    async def identify(self, request: Request) -> Visitor:
        token = bearer_token(request)
        if self._anonymous is not None and (token is None or is_anonymous(token)):
            return await self._anonymous.identify(request)
        if token is None:
            raise not_signed_in()
        claims = await self._verifier.verify(token)
        person = person_of(claims, self._settings)
        return Visitor(
            user_id=person.user_id,
            expires_at=_moment(claims["exp"]),
            # The page has its token from the issuer: there is nothing to send to it.
            by_header=False,
            fresh=False,
            new=False,
            token="",
            began=_began(claims),
            signed_in=True,
            tenant=person.tenant,
            roles=person.roles,
            name=person.name,
            email=person.email,
            issuer_token=SecretStr(token),
        )

    async def newcomer(self, request: Request, challenge: str | None = None) -> Visitor:
        if self._anonymous is None:
            raise not_signed_in()
        return await self._anonymous.newcomer(request, challenge)


def _began(claims: Mapping[str, Any]) -> float:
    """When the person entered their password (`auth_time`), or else when the token was made.

    A renewed token keeps its `auth_time`.
    """
    times = (claims.get("auth_time"), claims.get("iat"))
    return next((float(time) for time in times if isinstance(time, int | float)), 0.0)


def check_settings(settings: Settings) -> None:
    """Raise `ValueError`, with the name of the setting, when the `oidc_*` do not fit together."""
    if settings.oidc_issuer is None:
        raise ValueError("CHATKIT_AUTH=oidc needs CHATKIT_OIDC_ISSUER")
    if not (settings.oidc_client_id or settings.oidc_audience):
        raise ValueError("CHATKIT_AUTH=oidc needs CHATKIT_OIDC_CLIENT_ID or CHATKIT_OIDC_AUDIENCE")
    if settings.oidc_token == "id":  # noqa: S105 - a kind of token
        if not settings.oidc_client_id:
            raise ValueError("CHATKIT_OIDC_TOKEN=id needs CHATKIT_OIDC_CLIENT_ID")
        if settings.oidc_audience:
            raise ValueError("CHATKIT_OIDC_AUDIENCE needs CHATKIT_OIDC_TOKEN=access")


def _moment(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (OverflowError, OSError, ValueError):
        return datetime.max.replace(tzinfo=UTC)  # an issuer's way to say: never
