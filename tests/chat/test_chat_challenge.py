"""Where a challenge comes before an identity, those who have one never see it."""

import pytest

from functions.actions.app import create_app as create_actions
from functions.chat.app import create_app
from functions.limit_table import LimitTable
from functions.settings import Settings
from tests.support.chat import ELSEWHERE, Chat, thread_of
from tests.support.issuer import bearer
from tests.support.served import served
from tests.support.signing_in import session
from tests.support.turnstile import SECRET, SITE_KEY, turnstile


@pytest.fixture(scope="module")
def cloudflare():
    with turnstile() as fake:
        yield fake


@pytest.fixture
def challenged(cloudflare):
    cloudflare.asked.clear()
    return {
        "turnstile_site_key": SITE_KEY,
        "turnstile_secret": SECRET,
        "turnstile_verify_url": cloudflare.verify_url,
    }


@pytest.fixture
def app_settings(cloud, model_url, challenged):
    return Settings(
        _env_file=None,
        openai_base_url=model_url,
        model="test",
        model_api="chat_completions",
        **challenged,
    )


@pytest.fixture
def limited(app_settings):
    """The address of an app where each network has two requests a minute."""
    limits = LimitTable.model_validate({"network": {"requests_per_minute": 2}})
    update = {"limits": limits, "behind_cloudfront": True}
    with served(create_app(app_settings.model_copy(update=update))) as url:
        yield url


def enter(chat, token, **headers):
    """Open a session with the token of a solved challenge."""
    return chat.http.post("/chatkit/session", json={"challenge": token}, headers=headers)


def test_a_message_without_an_identity_is_refused_and_nothing_is_written(ada, cloudflare):
    refused = ada.post("threads.create", input={"content": []})
    assert (refused.status_code, refused.json()["code"]) == (401, "challenge_required")
    assert "set-cookie" not in refused.headers
    enter(ada, cloudflare.token(hostname="127.0.0.1"))
    assert ada.read("threads.list")["data"] == []


def test_one_challenge_is_enough_for_as_long_as_the_cookie_is_kept(ada, cloudflare):
    entered = enter(ada, cloudflare.token(hostname="127.0.0.1"))
    assert entered.status_code == 200, entered.text
    thread = thread_of(ada.create())
    assert session(ada).json()["user"] == entered.json()["user"]
    assert ada.read("threads.get_by_id", thread_id=thread)["id"] == thread
    assert len(cloudflare.asked) == 1


def test_a_token_is_not_used_up_by_somebody_who_has_an_identity(ada, cloudflare):
    first = enter(ada, cloudflare.token(hostname="127.0.0.1")).json()
    token = cloudflare.token(hostname="127.0.0.1")
    assert enter(ada, token).json()["user"] == first["user"]
    assert len(cloudflare.asked) == 1
    assert enter(Chat(ada.url), token).status_code == 200


def test_one_token_makes_one_identity(server, cloudflare):
    token = cloudflare.token(hostname="127.0.0.1")
    assert [enter(Chat(server), token).status_code for _ in range(3)] == [200, 401, 401]


def test_a_page_on_another_origin_gets_its_token_by_a_challenge_on_its_own_host(server, cloudflare):
    there = {"origin": ELSEWHERE}
    entered = enter(Chat(server), cloudflare.token(hostname="shop.example"), **there)
    assert entered.status_code == 200, entered.text
    token = entered.json()["token"]
    again = session(Chat(server), {**there, **bearer(token)})
    assert again.json()["user"] == entered.json()["user"]
    refused = session(Chat(server), {**there, **bearer(f"{token}x")})
    assert (refused.status_code, refused.json()["code"]) == (401, "challenge_required")
    # A page on another origin can read it.
    assert refused.headers["access-control-allow-origin"] == ELSEWHERE


def test_whoever_has_signed_out_everywhere_needs_a_challenge_to_be_somebody_new(ada, cloudflare):
    before = enter(ada, cloudflare.token(hostname="127.0.0.1")).json()["user"]
    kept = dict(ada.http.cookies)
    assert ada.http.post("/chatkit/session/end").status_code == 204
    ada.http.cookies.update(kept)
    refused = session(ada)
    assert (refused.status_code, refused.json()["code"]) == (401, "challenge_required")
    entered = enter(ada, cloudflare.token(hostname="127.0.0.1"))
    assert entered.status_code == 200
    assert entered.json()["user"] != before


def test_over_the_limit_of_its_network_nobody_makes_the_chat_ask_cloudflare(limited, cloudflare):
    here = {"x-chatkit-viewer-ip": "203.0.113.7"}
    statuses = [enter(Chat(limited), f"garbage {n}", **here).status_code for n in range(6)]
    assert statuses.count(429) >= 2  # a new minute may begin once in between
    assert len(cloudflare.asked) == statuses.count(401)
    elsewhere = {"x-chatkit-viewer-ip": "203.0.114.7"}
    assert enter(Chat(limited), "garbage", **elsewhere).status_code == 401


def test_nor_does_whoever_has_signed_out(limited, ada, cloudflare):
    entered = enter(ada, cloudflare.token(hostname="127.0.0.1"))
    kept = dict(ada.http.cookies)
    ada.http.post("/chatkit/session/end")
    cloudflare.asked.clear()
    statuses = []
    for n in range(6):
        chat = Chat(limited)
        chat.http.cookies.update(kept)
        answer = enter(chat, f"garbage {n}", **{"x-chatkit-viewer-ip": "203.0.115.7"})
        statuses.append(answer.status_code)
    assert (entered.status_code, {*statuses}) == (200, {401, 429})
    assert len(cloudflare.asked) == statuses.count(401) <= 4


def test_the_second_function_knows_the_identity_and_never_verifies(app_settings, ada, cloudflare):
    enter(ada, cloudflare.token(hostname="127.0.0.1"))
    with served(create_actions(app_settings)) as url:
        stranger, known = Chat(url), Chat(url)
        known.http.cookies = ada.http.cookies
        body = {"run_id": "0" * 32}
        assert stranger.http.post("/actions/cancel", json=body).status_code == 401
        assert known.http.post("/actions/cancel", json=body).status_code == 200
    assert len(cloudflare.asked) == 1


def test_people_who_have_signed_in_are_never_challenged(
    sign_in_settings, issuer, challenged, cloudflare
):
    settings = sign_in_settings(oidc_optional=True, **challenged)
    with served(create_app(settings)) as url:
        assert session(Chat(url), bearer(issuer.token())).json()["signedIn"] is True
        assert session(Chat(url)).json()["code"] == "challenge_required"
        expired = session(Chat(url), bearer(issuer.token(exp=1)))
        assert (expired.status_code, "code" in expired.json()) == (401, False)
        assert enter(Chat(url), cloudflare.token(hostname="127.0.0.1")).status_code == 200
