"""Anonymous users: a random user id in a signed token, without an account.

The token contains the user id and the time, signed with HMAC-SHA256. On the page's own origin it is
an HttpOnly cookie. A page on another configured origin stores the token and sends it in
`x-chatkit-authorization`, because browsers do not send cookies across sites.
"""

import hashlib
import secrets
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from itsdangerous import BadData, URLSafeTimedSerializer

LIFETIME = timedelta(days=400)
"""Chromium keeps no cookie longer than 400 days."""

RENEW_AFTER = timedelta(days=30)
"""Older tokens are replaced, so a visitor who returns within `LIFETIME` keeps their threads."""

_PURPOSE = "chatkit-anonymous"
"""A salt: a value that the key signed for another purpose is not a valid token."""

_PREFIX = "anon_"

_FORM = b64encode(f'"{_PREFIX}'.encode()).decode()
"""How each token begins: it is JSON in Base64."""


@dataclass(frozen=True)
class AnonymousUser:
    """The user that a token names. `id` is `anon_` and 32 random hex digits."""

    id: str
    token: str
    expires_at: datetime
    fresh: bool
    """True when the token is new and has to be sent to the visitor."""


def new_user(key: str) -> AnonymousUser:
    """A new user with a random id."""
    return _issue(_PREFIX + secrets.token_hex(16), key)


def read_user(token: str | None, key: str) -> AnonymousUser | None:
    """The user that `token` names, or None when it is forged, expired or missing."""
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


def is_anonymous(token: str) -> bool:
    """Whether a token has the form of ours, valid or not. No JWT has it: they begin with `ey`."""
    return token.startswith(_FORM)


def _issue(user_id: str, key: str) -> AnonymousUser:
    token = _signer(key).dumps(user_id)
    return AnonymousUser(user_id, str(token), datetime.now(UTC) + LIFETIME, fresh=True)


def _signer(key: str) -> URLSafeTimedSerializer:
    sha256 = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    return URLSafeTimedSerializer(key, salt=_PURPOSE, signer_kwargs=sha256)
