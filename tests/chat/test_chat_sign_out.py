"""Whoever signs out everywhere is signed out on every route, before anything is written."""

from datetime import timedelta

import pytest
from fastapi.routing import APIRoute

from functions import aws
from functions.actions.app import router as actions_router
from functions.chat.app import router as chat_router
from functions.settings import get_settings
from functions.web.identity.anonymous import BEARER
from tests.support.chat import ELSEWHERE, Chat, message, thread_of
from tests.support.tokens import session_token

OPEN = {
    "/chatkit/health",
    "/actions/health",
    "/chatkit/log",
    "/chatkit/session",
    "/chatkit/session/end",
}
"""Routes that ask nobody, or that answer those who are signed out."""

CHATKIT = {
    "threads.list": {},
    "threads.get_by_id": {"thread_id": "?"},
    "threads.delete": {"thread_id": "?"},
    "threads.update": {"thread_id": "?", "title": "Mine"},
    "threads.create": {"input": message("Hi")},
    "threads.add_user_message": {"thread_id": "?", "input": message("Hi")},
}


def routes():
    return [
        pytest.param(method, route.path, id=f"{method} {route.path}")
        for router in (chat_router, actions_router)
        for route in router.routes
        if isinstance(route, APIRoute) and route.path not in {*OPEN, "/chatkit"}
        for method in sorted(route.methods - {"HEAD"})
    ]


def test_the_routes_are_found():
    assert len(routes()) >= 6


def rows():
    scan = aws.client("dynamodb").get_paginator("scan")
    pages = scan.paginate(TableName=get_settings().table)
    return sorted(str(row) for page in pages for row in page["Items"])


class Copied:
    """Someone's session, and a copy of it in other hands."""

    def __init__(self, url):
        self.owner, self.thief = Chat(url), Chat(url)
        self.thread = thread_of(self.owner.create("My secret"))
        self.thief.http.cookies = self.owner.http.cookies
        assert self.thief.read("threads.get_by_id", thread_id=self.thread)

    def sign_out(self):
        # A copy of the cookie is what the answer cannot remove.
        self.thief.http.cookies = dict(self.owner.http.cookies)
        return self.owner.http.post("/chatkit/session/end", json={})


@pytest.fixture
def copied(server):
    return Copied(server)


def test_signing_out_removes_the_cookie_and_makes_the_visitor_a_new_one(copied):
    before = copied.owner.http.post("/chatkit/session").json()
    answer = copied.sign_out()
    assert (answer.status_code, answer.content) == (204, b"")
    assert not copied.owner.http.cookies
    after = copied.owner.http.post("/chatkit/session").json()
    assert after["user"] != before["user"]
    assert copied.owner.create("Again")


@pytest.mark.parametrize("kind", CHATKIT)
def test_no_operation_of_chatkit_answers_a_copy_of_the_session(copied, model, kind):
    copied.sign_out()
    before, calls = rows(), len(model.requests)
    params = {name: copied.thread if v == "?" else v for name, v in CHATKIT[kind].items()}
    answer = copied.thief.post(kind, **params)
    assert answer.status_code == 401
    assert answer.json()["message"] == "You have signed out. Reload the page to start anew."
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "set-cookie" not in answer.headers
    assert (rows(), len(model.requests)) == (before, calls)


def test_that_somebody_signed_out_is_said_before_what_is_wrong_otherwise(copied):
    copied.sign_out()
    params = {"thread_id": "unknown", "input": message("Hi")}
    assert copied.thief.post("threads.add_user_message", **params).status_code == 401


@pytest.mark.parametrize(("method", "path"), routes())
def test_no_other_route_answers_a_copy_of_the_session(copied, actions, method, path):
    copied.sign_out()
    before = rows()
    url = actions if path.startswith("/actions") else copied.thief.url
    answer = copied.thief.http.request(
        method, url + path.format(attachment_id="a", passage_id="p"), json={}
    )
    assert answer.status_code == 401
    assert rows() == before


def test_a_copy_that_opens_a_session_becomes_a_new_visitor(copied):
    before = copied.owner.http.post("/chatkit/session").json()["user"]
    copied.sign_out()
    answer = copied.thief.http.post("/chatkit/session")
    assert answer.status_code == 200
    assert answer.json()["user"] != before
    assert "set-cookie" in answer.headers


def test_a_token_that_is_old_enough_to_be_renewed_is_over_as_well(copied):
    user = copied.owner.http.post("/chatkit/session").json()["user"]["id"]
    copied.sign_out()
    token = session_token(BEARER, user=user, age=timedelta(days=20))
    held = {"x-chatkit-authorization": f"Bearer {token}", "origin": ELSEWHERE}
    answer = Chat(copied.owner.url).post("threads.list", held)
    assert answer.status_code == 401
    assert "x-chatkit-token" not in answer.headers


def test_signing_out_twice_or_as_nobody_writes_nothing(copied):
    copied.sign_out()
    before = rows()
    assert copied.thief.http.post("/chatkit/session/end", json={}).status_code == 204
    assert Chat(copied.owner.url).http.post("/chatkit/session/end", json={}).status_code == 204
    assert rows() == before
