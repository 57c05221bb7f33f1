"""Anonymous people are recognised by a token that only this deployment can make."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from functions.identity import anonymous
from functions.identity.anonymous import new_user, read_user

KEY = "k" * 32


def test_a_new_person_is_recognised_by_their_token():
    user = new_user(KEY)
    again = read_user(user.token, KEY)
    assert (again.id, again.fresh) == (user.id, False)


def test_no_two_people_are_the_same():
    assert len({new_user(KEY).id for _ in range(100)}) == 100


def test_a_token_signed_with_another_key_names_nobody():
    assert read_user(new_user("x" * 32).token, KEY) is None


def forged(**changes):
    now = datetime.now(UTC)
    claims = {"sub": "anon_1", "aud": "chatkit-anonymous", "iat": now, "exp": now + timedelta(1)}
    return {**claims, **changes}


@pytest.mark.parametrize(
    "token",
    [
        None,
        "",
        "garbage",
        "a.b.c",
        jwt.encode(forged(), "", algorithm="none"),
        jwt.encode(forged(exp=datetime.now(UTC) - timedelta(1)), KEY, algorithm="HS256"),
        jwt.encode(forged(aud="another"), KEY, algorithm="HS256"),
        jwt.encode(forged(sub="auth0|somebody"), KEY, algorithm="HS256"),
    ],
)
def test_an_absent_forged_or_expired_token_names_nobody(token):
    assert read_user(token, KEY) is None


def test_a_visitor_who_comes_back_after_a_month_gets_a_longer_life(monkeypatch):
    user = new_user(KEY)
    monkeypatch.setattr(anonymous, "RENEW_AFTER", timedelta(0))
    again = read_user(user.token, KEY)
    assert (again.id, again.fresh) == (user.id, True)
