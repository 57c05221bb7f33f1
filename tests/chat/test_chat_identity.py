"""Who is asking: a cookie at home, a token for a page elsewhere, and never an error."""

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


def test_at_home_a_visitor_gets_an_http_only_lax_cookie_and_no_token(ada):
    answer = session(ada)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert answer.json()["token"] is None
    assert session(ada).json()["user"] == answer.json()["user"]


def test_over_tls_the_cookie_is_secure(ada):
    assert "Secure" in session(ada, **{"x-forwarded-proto": "https"}).headers["set-cookie"]


def test_a_page_elsewhere_gets_a_token_and_is_recognised_by_it(server):
    chat = Chat(server)
    answer = session(chat, origin=ELSEWHERE)
    assert "set-cookie" not in answer.headers
    token = answer.json()["token"]
    for header in ("x-chatkit-authorization", "authorization"):
        again = session(Chat(server), origin=ELSEWHERE, **{header: f"Bearer {token}"})
        assert again.json()["user"] == answer.json()["user"]


@pytest.mark.parametrize("token", ["forged", "a.b.c", "e30.e30.e30"])
def test_a_forged_token_is_replaced_and_never_an_error(server, token):
    headers = {"origin": ELSEWHERE, "x-chatkit-authorization": f"Bearer {token}"}
    answer = session(Chat(server), **headers)
    assert answer.json()["token"] not in {None, token}
    chat = Chat(server)
    chat.http.cookies.set("chatkit_session", token)
    assert "set-cookie" in session(chat).headers


def test_a_first_message_without_a_session_makes_the_visitor_known(ada):
    thread = thread_of(ada.create())
    assert ada.read("threads.get_by_id", thread_id=thread)["id"] == thread


def test_a_page_elsewhere_learns_its_new_token_from_any_answer(ada):
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


def test_preflights_of_configured_origins_are_answered_for_our_headers(ada):
    answer = preflight(ada, ELSEWHERE)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ELSEWHERE
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "x-amz-content-sha256" in answer.headers["access-control-allow-headers"]
    assert "x-chatkit-run-id" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://shop.example.evil.example", "null"]
)
def test_other_origins_are_allowed_nothing(ada, origin):
    refused = preflight(ada, origin)
    assert "access-control-allow-origin" not in refused.headers
    assert (refused.status_code, refused.json()["message"]) == (400, "Disallowed CORS origin")
    answer = ada.post("threads.list", {"origin": origin})
    assert "access-control-allow-origin" not in answer.headers


def test_health_says_what_runs(ada):
    answer = ada.http.get("/chatkit/health").json()
    assert answer == {"status": "ok", "version": "0.1.0", "model": "test"}
    assert ada.http.head("/chatkit/health").status_code == 200


def test_feedback_is_stored_with_who_and_when(ada):
    thread = thread_of(ada.create())
    answer = ada.items(thread)[1]["id"]
    assert ada.read("items.feedback", thread_id=thread, item_ids=[answer], kind="negative") == {}
    user = session(ada).json()["user"]["id"]
    settings = get_settings()
    store = DynamoDBStore(settings.table)
    (mark,) = asyncio.run(store.load_feedback(thread, RequestContext(user_id=user)))
    assert (mark.item_id, mark.kind) == (answer, "negative")
    assert datetime.fromisoformat(mark.at)
