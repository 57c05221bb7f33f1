"""A visitor saves and deletes all of their own data, and nothing of anybody else's."""

from functions import aws
from functions.chat import own_data
from functions.settings import get_settings
from functions.store import keys
from tests.support.chat import Chat


def rows_of(user):
    """The partition and the kind of each row of a user."""
    scan = aws.client("dynamodb").get_paginator("scan")
    return {
        (row["pk"]["S"].replace(user, "user").split("#T#")[0], row["sk"]["S"].partition("#")[0])
        for page in scan.paginate(TableName=get_settings().table)
        for row in page["Items"]
        if user in row["pk"]["S"]
    }


def user_of(chat):
    return chat.http.post("/chatkit/session", json={}).json()["user"]["id"]


def deleted(chat):
    return chat.http.post("/chatkit/me/delete", json={})


def test_a_visitor_saves_everything_of_theirs_as_one_document(ada, bob):
    user = user_of(ada)
    ada.create("My secret – ünïcode")
    bob.create("Another secret")
    answer = ada.http.get("/chatkit/me/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    assert answer.headers["cache-control"] == "no-store"
    document = answer.json()
    assert (document["user"], document["complete"]) == (user, True)
    assert {"thread", "item", "run"} <= {entry["type"] for entry in document["entries"]}
    assert "My secret – ünïcode" in answer.text
    assert "Another secret" not in answer.text


def test_a_visitor_deletes_everything_of_theirs_and_is_somebody_new(ada, bob):
    user, other = user_of(ada), user_of(bob)
    ada.create("My secret")
    bob.create("Another secret")
    others = rows_of(other)
    copy = Chat(ada.url)
    copy.http.cookies = dict(ada.http.cookies)
    answer = deleted(ada)
    assert (answer.status_code, answer.json()) == (200, {"done": True})
    assert rows_of(user) == {("U#user", keys.SIGNED_OUT), ("U#user", keys.TOMBSTONE)}
    assert rows_of(other) == others
    assert not ada.http.cookies
    assert user_of(ada) != user
    # A copy of the cookie, in another window, writes nothing under the old id any more.
    assert copy.post("threads.list").status_code == 401
    assert len(rows_of(user)) == 2


def test_a_deletion_that_takes_too_long_is_asked_for_again_and_goes_on(ada, monkeypatch):
    user = user_of(ada)
    ada.create("My secret")
    with monkeypatch.context() as patch:
        patch.setattr(own_data, "DELETE_SECONDS", 0)
        answer = deleted(ada)
    assert (answer.status_code, answer.json()) == (202, {"done": False})
    assert user_of(ada) == user
    assert deleted(ada).json() == {"done": True}
    assert user_of(ada) != user
