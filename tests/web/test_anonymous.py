"""Anonymous users are identified by a token that only this deployment can make."""

from datetime import timedelta

import pytest

from functions.web.identity.anonymous import (
    BEARER,
    COOKIE,
    FORMER,
    UnknownSignatureError,
    new_user,
    read_user,
)
from tests.support.tokens import session_token

KEY = "k" * 32
NEWER = "n" * 32
SOON = timedelta(minutes=1)


def read(token, keys=(KEY,), accepted=(COOKIE, FORMER), wanted=COOKIE):
    return read_user(token, keys, accepted, wanted)


@pytest.mark.parametrize("purpose", [COOKIE, BEARER])
def test_a_new_user_is_identified_by_their_token(purpose):
    user = new_user([KEY], purpose)
    again = read(user.token, accepted=[purpose], wanted=purpose)
    assert (again.id, again.token, again.fresh) == (user.id, user.token, False)


def test_every_new_user_gets_another_id():
    assert len({new_user([KEY], COOKIE).id for _ in range(100)}) == 100


def test_a_token_signed_like_those_below_is_valid():
    assert read(session_token(COOKIE)).id == "anon_1"


# With explicit ids, because two test workers sign at different times and must find the same tests.
@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="empty"),
        pytest.param("garbage", id="garbage"),
        pytest.param("a.b.c", id="three parts"),
        pytest.param("é.b.c", id="not ascii"),
        pytest.param(session_token(COOKIE)[:-1], id="cut"),
        pytest.param(session_token(COOKIE, key="x" * 32), id="another key"),
        pytest.param(session_token("another"), id="another purpose"),
        pytest.param(session_token(BEARER), id="a header's token in a cookie"),
    ],
)
def test_a_forged_token_has_an_unknown_signature(token):
    with pytest.raises(UnknownSignatureError):
        read(token)


@pytest.mark.parametrize("user", ["auth0|somebody", ["anon_1"], None])
def test_a_token_that_names_no_anonymous_user_is_invalid(user):
    assert read(session_token(COOKIE, user=user)) is None


def test_a_cookies_token_is_no_bearer_token():
    with pytest.raises(UnknownSignatureError):
        read(session_token(COOKIE), accepted=(BEARER, FORMER), wanted=BEARER)


@pytest.mark.parametrize(("purpose", "days"), [(COOKIE, 400), (BEARER, 30)])
def test_a_token_is_valid_until_its_purposes_lifetime_ends(purpose, days):
    def of_age(age):
        token = session_token(purpose, age=age)
        return read(token, accepted=[purpose], wanted=purpose)

    assert of_age(timedelta(days=days) - SOON).id == "anon_1"
    assert of_age(timedelta(days=days) + SOON) is None


@pytest.mark.parametrize(("purpose", "days"), [(COOKIE, 30), (BEARER, 1)])
def test_a_token_is_renewed_for_its_whole_lifetime_when_it_is_used_later(purpose, days):
    def of_age(age):
        token = session_token(purpose, age=age)
        return read(token, accepted=[purpose], wanted=purpose)

    assert not of_age(timedelta(days=days) - SOON).fresh
    renewed = of_age(timedelta(days=days) + SOON)
    assert (renewed.id, renewed.fresh) == ("anon_1", True)
    assert renewed.expires_at - new_user([KEY], purpose).expires_at < SOON
    again = read(renewed.token, accepted=[purpose], wanted=purpose)
    assert (again.id, again.fresh) == ("anon_1", False)


def test_a_token_of_an_environment_whose_clock_is_ahead_is_valid():
    assert read(session_token(COOKIE, age=-timedelta(seconds=2))).id == "anon_1"
    assert read(session_token(COOKIE, age=-timedelta(hours=1))) is None


def test_a_token_of_version_0_1_is_exchanged_for_one_of_its_own_purpose():
    token = session_token(FORMER, age=timedelta(days=399))
    for purpose in (COOKIE, BEARER):
        user = read(token, accepted=(purpose, FORMER), wanted=purpose)
        assert (user.id, user.fresh) == ("anon_1", True)
        assert not read(user.token, accepted=[purpose], wanted=purpose).fresh
    assert read(session_token(FORMER, age=timedelta(days=401))) is None


def test_a_token_of_the_previous_key_is_accepted_and_replaced_by_one_of_the_newest():
    user = read(session_token(COOKIE), keys=[NEWER, KEY])
    assert (user.id, user.fresh) == ("anon_1", True)
    assert read(user.token, keys=[NEWER]).id == "anon_1"
