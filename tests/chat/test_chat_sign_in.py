"""People sign in at an issuer: what they see, and what others do not, over real HTTP."""

import logging
import time

import pytest

from functions import aws
from functions.actions.app import router as actions_router
from functions.aws.clients import client
from functions.chat.app import router as chat_router
from functions.web.identity.anonymous import BEARER, COOKIE, new_user
from functions.web.identity.person import owner_id
from tests.chat.conftest import KEY
from tests.support.chat import ELSEWHERE, JSON, Chat, thread_of
from tests.support.issuer import bearer
from tests.support.signing_in import REFUSED, session

OPEN = {"/chatkit/health", "/actions/health", "/chatkit/log"}
"""Routes that ask nobody who they are: they read and write nothing of anybody."""


@pytest.fixture
def app_settings(sign_in_settings):
    return sign_in_settings()


def routes(router):
    return [
        (method, route.path.replace("{attachment_id}", "atc_1"))
        for route in router.routes
        for method in route.methods
    ]


@pytest.mark.parametrize("why", REFUSED)
def test_without_a_token_every_route_answers_401_before_anything_is_read_or_written(
    server, actions, why, monkeypatch
):
    """Also the routes that are yet to be written: they are found and not listed here."""
    calls = []
    monkeypatch.setattr(aws, "call", lambda *_, **__: calls.append(1))
    for service in ("dynamodb", "s3"):
        client(service).meta.events.register(
            "before-call", lambda **_: calls.append(1), unique_id="counting"
        )
    headers, message = REFUSED[why]
    asked = 0
    for url, router in ((server, chat_router), (actions, actions_router)):
        for method, path in routes(router):
            if path in OPEN:
                continue
            # The body is no JSON: whoever reads it first answers 400.
            sent = {**JSON, **headers}
            answer = Chat(url).http.request(method, path, headers=sent, content=b"{")
            assert answer.status_code == 401, (method, path)
            assert message in answer.json()["message"]
            assert answer.headers["www-authenticate"].startswith('Bearer realm="chatkit"')
            assert "set-cookie" not in answer.headers
            asked += 1
    for service in ("dynamodb", "s3"):
        client(service).meta.events.unregister("before-call", unique_id="counting")
    assert asked >= 9
    assert calls == []


def test_health_needs_no_token_and_an_anonymous_cookie_counts_for_nothing(server):
    chat = Chat(server)
    assert chat.http.get("/chatkit/health").status_code == 200
    chat.http.cookies.set("chatkit_session", new_user([KEY], COOKIE).token)
    assert session(chat).status_code == 401
    assert session(chat, bearer(new_user([KEY], BEARER).token)).status_code == 401


@pytest.mark.parametrize("header", ["x-chatkit-authorization", "authorization"])
def test_the_session_says_who_has_signed_in(server, issuer, header):
    token = issuer.token(
        name="Ada Lovelace", email="ada@example.com", email_verified=True, roles=["staff", "b"]
    )
    answer = session(Chat(server), bearer(token, header))
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    assert found["user"] == {
        "id": owner_id(issuer.url, "ada", None),
        "name": "Ada Lovelace",
        "email": "ada@example.com",
        "roles": ["b", "staff"],
        "tenant": None,
    }
    assert (found["signedIn"], found["token"]) == (True, None)


def test_the_header_of_ours_may_stand_beside_a_signature_or_the_same_token(server, issuer):
    token = issuer.token()
    for beside in (f"Bearer {token}", "AWS4-HMAC-SHA256 Credential=AKIA/1", "Basic YTpi"):
        assert session(Chat(server), {**bearer(token), "authorization": beside}).is_success


def test_two_different_tokens_are_refused(server, issuer):
    headers = {**bearer(issuer.token()), **bearer(issuer.token(sub="bob"), "authorization")}
    answer = session(Chat(server), headers)
    assert (answer.status_code, answer.json()["message"]) == (
        400,
        "The request carries two different tokens.",
    )
    assert 'error="invalid_request"' in answer.headers["www-authenticate"]


def test_a_page_on_another_origin_may_read_the_refusal(server):
    answer = session(Chat(server), {"origin": ELSEWHERE})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == ELSEWHERE


def test_a_conversation_belongs_to_the_issuers_person_and_to_nobody_else(person):
    ada, bob = person(), person(sub="bob")
    thread = thread_of(ada.create())
    assert [each["id"] for each in ada.read("threads.list", limit=9)["data"]] == [thread]
    assert person().items(thread)  # another token of the same person
    assert bob.read("threads.list", limit=9)["data"] == []
    foreign = bob.post("items.list", thread_id=thread, limit=9)
    unknown = bob.post("items.list", thread_id="thr_unknown", limit=9)
    assert (foreign.status_code, foreign.json()) == (unknown.status_code, unknown.json())
    assert foreign.status_code == 404


def test_a_token_takes_no_round_trip_to_aws_but_the_one_that_asks_who_signed_out(
    person, monkeypatch
):
    ada = person()
    seen = []
    call = aws.call

    async def counted(method, /, **kwargs):
        seen.append(kwargs["Key"]["sk"]["S"])
        return await call(method, **kwargs)

    monkeypatch.setattr(aws, "call", counted)
    session(ada)
    assert seen == ["SIGNED_OUT"]


def test_somebody_who_signs_out_everywhere_has_to_sign_in_again(person, issuer):
    now = int(time.time())
    ada, elsewhere = person(), person()
    assert ada.http.post("/chatkit/session/end").status_code == 204
    for chat in (ada, elsewhere):
        assert session(chat).status_code == 401
        assert chat.post("threads.list", limit=9).status_code == 401
        refused = session(chat).headers["www-authenticate"]
        assert 'error="insufficient_user_authentication"' in refused  # RFC 9470
    # A renewed token is no new sign-in: it says when the person entered their password.
    renewed = person(auth_time=now - 60, iat=now + 30)
    assert session(renewed).status_code == 401
    assert session(person(auth_time=now + 30, iat=now + 30)).status_code == 200
    assert session(person(sub="bob")).status_code == 200


def test_no_line_of_the_log_has_a_token(person, issuer, server, caplog):
    caplog.set_level(logging.DEBUG)
    tokens = [issuer.token(), issuer.token(aud="other"), issuer.token(exp=1), "garbage.of.mine"]
    for token in tokens:
        session(Chat(server), bearer(token))
    for token in tokens:
        assert token.rpartition(".")[2] not in caplog.text
    assert "its aud does not name CHATKIT_OIDC_AUDIENCE" in caplog.text
