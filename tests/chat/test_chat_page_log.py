"""The page's log takes names, codes and counts of known visitors, at a limited rate."""

import logging

import pytest

from functions.web import page_log
from tests.chat.test_chat_refusals import refused
from tests.support.chat import Chat


def report(chat, event="x", **detail):
    body = {"level": "error", "event": event, "detail": detail}
    return chat.http.post("/chatkit/log", json=body)


@pytest.fixture
def known(ada):
    """A visitor whom the server knows."""
    ada.http.post("/chatkit/session")
    return ada


def test_a_value_that_is_no_name_or_number_is_logged_as_its_length(known, caplog):
    with caplog.at_level(logging.INFO):
        answer = report(
            known, name="TypeError", status=404, words="Dear diary\n", ok=True, none=None,
            mail="ada@example.com", phone="+491701234567",
        )  # fmt: skip
    assert answer.status_code == 204
    (line,) = [each.getMessage() for each in caplog.records if "page:" in each.getMessage()]
    assert line == (
        'page: x {"name": "TypeError", "status": 404, "words": "11 characters", '
        '"ok": true, "none": null, "mail": "15 characters", "phone": "13 characters"}'
    )


@pytest.mark.parametrize(
    "detail",
    [
        {"a key\n": 1},
        {"k" * 51: 1},
        {"": 1},
        {"list": [1]},
        {f"k{n}": 1 for n in range(21)},
    ],
)
def test_an_event_with_other_keys_or_values_is_refused(known, detail):
    refused(
        known.http.post("/chatkit/log", json={"level": "info", "event": "x", "detail": detail}), 422
    )


def test_one_visitor_who_logs_too_much_is_refused_and_others_are_not(known, bob, monkeypatch):
    bob.http.post("/chatkit/session")
    answers = [report(known) for _ in range(page_log.EACH_A_MINUTE)]
    late = report(known)
    if late.status_code == 204:  # a minute began in between
        late = [report(known) for _ in range(page_log.EACH_A_MINUTE)][-1]
    assert {answer.status_code for answer in answers} == {204}
    refused(late, 429)
    assert 1 <= int(late.headers["retry-after"]) <= 60
    assert report(bob).status_code == 204


def test_visitors_without_a_token_share_one_limit(server):
    """Whoever throws the cookie away would get a new limit with each request."""
    statuses = [report(Chat(server)).status_code for _ in range(2 * page_log.EACH_A_MINUTE)]
    assert 429 in statuses
