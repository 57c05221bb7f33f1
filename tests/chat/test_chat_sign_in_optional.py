"""Where people may sign in and need not: who counts as whom, and what older rows belong to."""

import json
import time

import pytest

from functions.aws.clients import client
from functions.chat.app import create_app
from functions.settings import get_settings
from functions.web.identity.anonymous import COOKIE, new_user
from functions.web.identity.person import owner_id
from tests.chat.conftest import KEY
from tests.support.chat import ELSEWHERE, Chat
from tests.support.issuer import bearer
from tests.support.served import served
from tests.support.signing_in import REFUSED, session


@pytest.fixture
def mixed(sign_in_settings):
    with served(create_app(sign_in_settings(oidc_optional=True))) as url:
        yield url


def test_in_mixed_mode_a_visitor_without_a_token_is_anonymous(mixed):
    chat = Chat(mixed)
    found = session(chat).json()
    assert found["signedIn"] is False
    assert found["user"].keys() == {"id"}
    assert session(chat).json()["user"] == found["user"]


def test_in_mixed_mode_a_token_says_who_it_is_whatever_the_cookie_says(mixed, issuer):
    chat = Chat(mixed)
    session(chat)
    found = session(chat, bearer(issuer.token())).json()
    assert (found["signedIn"], found["user"]["id"]) == (True, owner_id(issuer.url, "ada", None))


@pytest.mark.parametrize("why", [why for why in REFUSED if "token" in why and why != "no token"])
def test_in_mixed_mode_a_token_that_is_not_valid_is_refused(mixed, why):
    chat = Chat(mixed)
    session(chat)
    assert session(chat, REFUSED[why][0]).status_code == 401


def test_in_mixed_mode_an_expired_token_is_refused(mixed, issuer):
    answer = session(Chat(mixed), bearer(issuer.token(exp=int(time.time()) - 120)))
    assert answer.status_code == 401


def test_in_mixed_mode_a_page_on_another_origin_keeps_its_anonymous_token(mixed):
    origin = {"origin": ELSEWHERE}
    first = session(Chat(mixed), origin).json()
    again = session(Chat(mixed), {**origin, **bearer(first["token"])}).json()
    assert again["user"] == first["user"]
    forged = session(Chat(mixed), {**origin, **bearer(first["token"] + "x")}).json()
    assert forged["user"] != first["user"]  # replaced, as where all are anonymous


# Rows of today


def row(partition, sort, **attributes):
    return {
        name: {"S": value} for name, value in {"pk": partition, "sk": sort}.items()
    } | attributes


FIELDS = {
    "M": {
        "allowed_image_domains": {"S": "null"},
        "created_at": {"S": '"2026-01-02T12:00:00"'},
        "id": {"S": '"thr_old"'},
        "status": {"S": '{"type": "active"}'},
        "title": {"S": '"Old"'},
    }
}
BODY = {
    "id": "msg_1",
    "thread_id": "thr_old",
    "created_at": "2026-01-02T12:00:00",
    "type": "user_message",
    "content": [{"type": "input_text", "text": "Hello"}],
    "attachments": [],
    "quoted_text": None,
    "inference_options": {"tool_choice": None, "model": None},
}


def write_old_rows(user_id):
    """A thread and its message, key by key as they were written before people could sign in."""
    partition = f"U#{user_id}"
    for old in (
        row(
            partition,
            "THREAD#thr_old",
            id={"S": "thr_old"},
            fields=FIELDS,
            metadata={"M": {}},
            position={"S": "2026-01-02T12:00:00.000000Z#thr_old"},
        ),
        row(
            f"{partition}#T#thr_old",
            "HEAD",
            fields=FIELDS,
            metadata={"M": {}},
            position={"S": "~"},
        ),
        row(
            f"{partition}#T#thr_old",
            "ITEM#msg_1",
            id={"S": "msg_1"},
            body={"S": json.dumps(BODY)},
            position={"S": "2026-01-02T12:00:00.000000Z#msg_1"},
            version={"S": "6b2cb80185bb2e692ce9f1ac66d858e4"},
        ),
    ):
        client("dynamodb").put_item(TableName=get_settings().table, Item=old)


def test_an_anonymous_visitor_keeps_what_was_written_before_people_could_sign_in(mixed):
    user = new_user([KEY], COOKIE)
    write_old_rows(user.id)
    chat = Chat(mixed)
    chat.http.cookies.set("chatkit_session", user.token)
    assert [each["title"] for each in chat.read("threads.list", limit=9)["data"]] == ["Old"]
    assert [item["id"] for item in chat.items("thr_old")] == ["msg_1"]
    chat.say("thr_old", "And today?")
    assert len(chat.items("thr_old")) == 3


def test_a_subject_that_is_an_anonymous_id_owns_nothing_of_that_visitor(mixed, issuer):
    user = new_user([KEY], COOKIE)
    write_old_rows(user.id)
    chat = Chat(mixed)
    chat.http.headers.update(bearer(issuer.token(sub=user.id)))
    assert chat.read("threads.list", limit=9)["data"] == []
    assert chat.post("items.list", thread_id="thr_old", limit=9).status_code == 404


def test_somebody_with_an_account_who_signs_out_everywhere_keeps_the_visitor_of_the_cookie(
    mixed, issuer
):
    chat = Chat(mixed)
    visitor = session(chat).json()["user"]["id"]
    ended = chat.http.post("/chatkit/session/end", headers=bearer(issuer.token()))
    assert ended.status_code == 204
    assert session(chat).json()["user"]["id"] == visitor
