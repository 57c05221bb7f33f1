"""Anonymous people: a random user id in a signed token, with no account behind it.

The token is a JWT (HS256) of our own: `sub` is the user id, `iat` and `exp` bound
its life. On the page's own origin it travels as an HttpOnly cookie; a page on
another, configured origin keeps it and sends it in `x-chatkit-authorization`,
because browsers withhold cookies between sites.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

LIFETIME = timedelta(days=400)
"""As long as Chromium keeps any cookie (its cap is 400 days)."""

RENEW_AFTER = timedelta(days=30)
"""A visitor who comes back at least once in LIFETIME never loses their threads."""

_ALGORITHM = "HS256"
_AUDIENCE = "chatkit-anonymous"
_PREFIX = "anon_"


@dataclass(frozen=True)
class AnonymousUser:
    """A person as their token says: `id` is `anon_` and 32 random hex digits."""

    id: str
    token: str
    expires_at: datetime
    fresh: bool
    """True when the token was made just now and has to reach the visitor."""


def new_user(key: str) -> AnonymousUser:
    """A person nobody has met."""
    return _issue(_PREFIX + secrets.token_hex(16), key)


def read_user(token: str | None, key: str) -> AnonymousUser | None:
    """The person that `token` names, or None when it is forged, expired or absent."""
    if not token:
        return None
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            audience=_AUDIENCE,
            options={"require": ["sub", "iat", "exp", "aud"]},
        )
    except jwt.InvalidTokenError:
        return None
    user_id = claims["sub"]
    if not user_id.startswith(_PREFIX):
        return None
    if datetime.now(UTC) - datetime.fromtimestamp(claims["iat"], UTC) > RENEW_AFTER:
        return _issue(user_id, key)
    return AnonymousUser(user_id, token, datetime.fromtimestamp(claims["exp"], UTC), fresh=False)


def _issue(user_id: str, key: str) -> AnonymousUser:
    now = datetime.now(UTC)
    expires_at = now + LIFETIME
    claims = {"sub": user_id, "aud": _AUDIENCE, "iat": now, "exp": expires_at}
    token = jwt.encode(claims, key, algorithm=_ALGORITHM)
    return AnonymousUser(user_id, token, expires_at, fresh=True)
