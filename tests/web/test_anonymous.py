"""Anonymous people are recognised by a token that only this deployment can make."""

import hashlib
from datetime import timedelta

import pytest
from itsdangerous import URLSafeTimedSerializer

from functions.web.identity import anonymous
from functions.web.identity.anonymous import new_user, read_user

KEY = "k" * 32


def test_a_new_person_is_recognised_by_their_token():
    user = new_user(KEY)
    again = read_user(user.token, KEY)
    assert (again.id, again.fresh) == (user.id, False)


def test_no_two_people_are_the_same():
    assert len({new_user(KEY).id for _ in range(100)}) == 100


def test_a_token_signed_with_another_key_names_nobody():
    assert read_user(new_user("x" * 32).token, KEY) is None


def signed(content, key=KEY, purpose="chatkit-anonymous"):
    sha256 = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    return URLSafeTimedSerializer(key, salt=purpose, signer_kwargs=sha256).dumps(content)


def test_the_token_below_would_name_somebody_if_it_were_not_for_what_is_wrong_with_it():
    assert read_user(signed("anon_1"), KEY).id == "anon_1"


# Names, because two workers sign at different seconds and must find the same tests.
@pytest.mark.parametrize(
    "token",
    [
        pytest.param(None, id="absent"),
        pytest.param("", id="empty"),
        pytest.param("garbage", id="garbage"),
        pytest.param("a.b.c", id="three parts"),
        pytest.param("é.b.c", id="not ascii"),
        pytest.param(signed("anon_1")[:-1], id="cut"),
        pytest.param(signed("anon_1", key="x" * 32), id="another key"),
        pytest.param(signed("anon_1", purpose="another"), id="another purpose"),
        pytest.param(signed("auth0|somebody"), id="no anonymous user"),
        pytest.param(signed(["anon_1"]), id="not a string"),
    ],
)
def test_an_absent_or_forged_token_names_nobody(token):
    assert read_user(token, KEY) is None


def test_an_expired_token_names_nobody(monkeypatch):
    user = new_user(KEY)
    monkeypatch.setattr(anonymous, "LIFETIME", timedelta(seconds=-1))
    assert read_user(user.token, KEY) is None


def test_a_visitor_who_comes_back_after_a_month_gets_a_longer_life(monkeypatch):
    user = new_user(KEY)
    monkeypatch.setattr(anonymous, "RENEW_AFTER", timedelta(0))
    again = read_user(user.token, KEY)
    assert (again.id, again.fresh) == (user.id, True)
