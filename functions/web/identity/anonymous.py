"""Anonymous users: a random user id in a signed token, without an account.

A token contains the user id and the time, signed with HMAC-SHA256. What it is for is part of the
signature: the cookie's token is not accepted in a header, and a header's token not as a cookie.
"""

import hashlib
import secrets
import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from itsdangerous import BadData, BadSignature, URLSafeTimedSerializer


@dataclass(frozen=True)
class Purpose:
    """What a token is for, how long it is valid, and the age after which its use renews it."""

    salt: str
    lifetime: timedelta
    renew_after: timedelta


COOKIE = Purpose("chatkit-anonymous-cookie", timedelta(days=400), timedelta(days=30))
"""The cookie of the page's own origin. Chromium keeps no cookie longer than 400 days:
https://developer.chrome.com/blog/cookie-max-age-expires"""

BEARER = Purpose("chatkit-anonymous-bearer", timedelta(days=30), timedelta(days=1))
"""The token of a page on another origin. Scripts can read it, so it is valid for a shorter time."""

FORMER = Purpose("chatkit-anonymous", timedelta(days=400), timedelta(0))
"""The tokens of version 0.1, which were for both. No more are made, and use replaces them."""

CLOCK_SKEW = timedelta(seconds=60)
"""A token may be from another environment, whose clock is ahead."""

_PREFIX = "anon_"

_FORM = b64encode(f'"{_PREFIX}'.encode()).decode()
"""How each token begins: it is JSON in Base64."""

Keys = Sequence[str]
"""The keys that sign tokens, newest first. The newest signs, and all of them are accepted."""


class UnknownSignatureError(Exception):
    """None of the keys has signed the token for any of the purposes."""


@dataclass(frozen=True)
class AnonymousUser:
    """The user that a token names. `id` is `anon_` and 32 hex digits: the time in milliseconds (12
    digits), and 80 random bits.
    """

    id: str
    token: str
    expires_at: datetime
    fresh: bool
    """True when the token is new and has to be sent to the visitor."""


def new_user(keys: Keys, purpose: Purpose) -> AnonymousUser:
    """A new user with a random id, which tells when they were made."""
    made = f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"
    return _issue(_PREFIX + made, keys, purpose)


def made_at(user_id: str) -> float:
    """When an anonymous user was made (Unix seconds): the time in their id.

    Ids of earlier versions are random: they have a random time, which is nearly always far off.
    """
    return int(user_id.removeprefix(_PREFIX)[:12], 16) / 1000


def read_user(
    token: str, keys: Keys, accepted: Sequence[Purpose], wanted: Purpose
) -> AnonymousUser | None:
    """The user that `token` names, or None when it has expired or names no anonymous user.

    `token` may be for one of the purposes `accepted`. When it is not for `wanted`, is old, or is
    not signed with the newest key, the user gets a new one for `wanted`.

    Raises `UnknownSignatureError` for a token that was not signed with these keys.
    """
    for purpose in accepted:
        for key in keys:
            try:
                user_id, signed = _signer(key, purpose).loads(token, return_timestamp=True)
            except BadSignature:
                continue
            except BadData:
                return None
            age = datetime.now(UTC) - signed
            if not -CLOCK_SKEW <= age <= purpose.lifetime:
                return None
            if not isinstance(user_id, str) or not user_id.startswith(_PREFIX):
                return None
            if purpose != wanted or key != keys[0] or age > wanted.renew_after:
                return _issue(user_id, keys, wanted)
            return AnonymousUser(user_id, token, signed + wanted.lifetime, fresh=False)
    raise UnknownSignatureError


def is_anonymous(token: str) -> bool:
    """Whether a token has the form of ours, valid or not. No JWT has it: they begin with `ey`."""
    return token.startswith(_FORM)


def _issue(user_id: str, keys: Keys, purpose: Purpose) -> AnonymousUser:
    token = _signer(keys[0], purpose).dumps(user_id)
    return AnonymousUser(user_id, str(token), datetime.now(UTC) + purpose.lifetime, fresh=True)


def _signer(key: str, purpose: Purpose) -> URLSafeTimedSerializer:
    sha256 = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    return URLSafeTimedSerializer(key, salt=purpose.salt, signer_kwargs=sha256)
