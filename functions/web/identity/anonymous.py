"""Anonymous people: a random user id in a signed token, with no account behind it.

The token is the user id and the time, signed (HMAC-SHA256). On the page's own origin
it travels as an HttpOnly cookie; a page on another, configured origin keeps it and
sends it in `x-chatkit-authorization`, because browsers withhold cookies between sites.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from itsdangerous import BadData, URLSafeTimedSerializer

LIFETIME = timedelta(days=400)
"""As long as Chromium keeps any cookie (its cap is 400 days)."""

RENEW_AFTER = timedelta(days=30)
"""A visitor who comes back at least once in LIFETIME never loses their threads."""

_PURPOSE = "chatkit-anonymous"
"""What the key signs here: nothing signed with it for another purpose names anybody."""

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
        user_id, signed = _signer(key).loads(
            token, max_age=int(LIFETIME.total_seconds()), return_timestamp=True
        )
    except BadData:
        return None
    if not isinstance(user_id, str) or not user_id.startswith(_PREFIX):
        return None
    if datetime.now(UTC) - signed > RENEW_AFTER:
        return _issue(user_id, key)
    return AnonymousUser(user_id, token, signed + LIFETIME, fresh=False)


def _issue(user_id: str, key: str) -> AnonymousUser:
    token = _signer(key).dumps(user_id)
    return AnonymousUser(user_id, str(token), datetime.now(UTC) + LIFETIME, fresh=True)


def _signer(key: str) -> URLSafeTimedSerializer:
    sha256 = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    return URLSafeTimedSerializer(key, salt=_PURPOSE, signer_kwargs=sha256)
