"""Visitors are identified by a cookie, or by a token from a page on another origin."""

import asyncio
from datetime import datetime

import pytest

from functions.context import RequestContext
from functions.settings import get_settings
from functions.store import DynamoDBStore
from tests.support.chat import ELSEWHERE, Chat, thread_of


def session(chat, **headers):
    answer = chat.http.post("/chatkit/session", headers=headers)
    assert answer.status_code == 200
    return answer


def test_a_page_on_our_origin_gets_an_http_only_lax_cookie_and_no_token(ada):
    answer = session(ada)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert answer.json()["token"] is None
    assert session(ada).json()["user"] == answer.json()["user"]


def test_over_tls_the_cookie_is_secure(ada):
    assert "Secure" in session(ada, **{"x-forwarded-proto": "https"}).headers["set-cookie"]


def test_a_page_on_another_origin_gets_a_token_that_identifies_the_visitor(server):
    chat = Chat(server)
    answer = session(chat, origin=ELSEWHERE)
    assert "set-cookie" not in answer.headers
    token = answer.json()["token"]
    for header in ("x-chatkit-authorization", "authorization"):
        again = session(Chat(server), origin=ELSEWHERE, **{header: f"Bearer {token}"})
        assert again.json()["user"] == answer.json()["user"]


@pytest.mark.parametrize("token", ["forged", "a.b.c", "e30.e30.e30"])
def test_a_forged_token_is_replaced_without_an_error(server, token):
    headers = {"origin": ELSEWHERE, "x-chatkit-authorization": f"Bearer {token}"}
    answer = session(Chat(server), **headers)
    assert answer.json()["token"] not in {None, token}
    chat = Chat(server)
    chat.http.cookies.set("chatkit_session", token)
    assert "set-cookie" in session(chat).headers


def test_a_first_message_without_a_session_sets_the_cookie(ada):
    thread = thread_of(ada.create())
    assert ada.read("threads.get_by_id", thread_id=thread)["id"] == thread


def test_a_page_on_another_origin_gets_its_new_token_with_any_answer(ada):
    answer = ada.post("threads.list", {"origin": ELSEWHERE})
    assert answer.headers["x-chatkit-token"]
    assert "x-chatkit-token" in answer.headers["access-control-expose-headers"]


def preflight(chat, origin):
    return chat.http.options(
        "/chatkit",
        headers={
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type,x-chatkit-run-id,x-amz-content-sha256",
        },
    )


def test_preflights_of_configured_origins_allow_our_headers(ada):
    answer = preflight(ada, ELSEWHERE)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ELSEWHERE
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "x-amz-content-sha256" in answer.headers["access-control-allow-headers"]
    assert "x-chatkit-run-id" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://shop.example.evil.example", "null"]
)
def test_preflights_of_other_origins_are_rejected(ada, origin):
    refused = preflight(ada, origin)
    assert "access-control-allow-origin" not in refused.headers
    assert (refused.status_code, refused.json()["message"]) == (400, "Disallowed CORS origin")
    answer = ada.post("threads.list", {"origin": origin})
    assert "access-control-allow-origin" not in answer.headers


def test_health_names_the_version_and_the_model(ada):
    answer = ada.http.get("/chatkit/health").json()
    assert answer == {"status": "ok", "version": "0.1.0", "model": "test"}
    assert ada.http.head("/chatkit/health").status_code == 200


def test_feedback_is_stored_with_its_user_and_time(ada):
    thread = thread_of(ada.create())
    answer = ada.items(thread)[1]["id"]
    assert ada.read("items.feedback", thread_id=thread, item_ids=[answer], kind="negative") == {}
    user = session(ada).json()["user"]["id"]
    settings = get_settings()
    store = DynamoDBStore(settings.table)
    (mark,) = asyncio.run(store.load_feedback(thread, RequestContext(user_id=user)))
    assert (mark.item_id, mark.kind) == (answer, "negative")
    assert datetime.fromisoformat(mark.at)
