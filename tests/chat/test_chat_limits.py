"""Limits over HTTP: a refusal is a 429 before the stream, writes nothing, and costs nobody else."""

import time
from types import SimpleNamespace

from functions.chat.app import create_app
from functions.limit_table import LimitTable
from functions.web.identity import visitor as visitors
from functions.web.identity.anonymous import COOKIE, new_user
from tests.support.chat import Chat, message, text_of
from tests.support.limited import at_once, counted, says
from tests.support.served import served


def test_of_twelve_messages_at_once_three_are_answered_and_nine_cost_nobody_anything(
    limited, model
):
    url = limited({"person": {"messages_per_day": 3}, "stage": {"messages_per_day": 100},
                   "newcomers": 1})  # fmt: skip
    ada, bob = Chat(url), Chat(url)
    ada.http.post("/chatkit/session")
    answers = at_once(12, lambda _: says(ada))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert (len(answers) - len(refused), len(refused)) == (3, 9)
    for answer in refused:
        assert "today" in answer.json()["message"]
        assert 1 <= int(answer.headers["retry-after"]) <= 86_401
    assert len(ada.read("threads.list")["data"]) == 3
    assert len(model.requests) == 3
    assert counted() == {"messages_per_day": 3}
    assert says(bob).status_code == 200


def test_newcomers_cannot_lock_out_who_was_here_before(limited, monkeypatch):
    url = limited({"stage": {"messages_per_day": 10}})
    answers = at_once(12, lambda _: says(Chat(url)))
    assert [answer.status_code for answer in answers].count(200) == 7
    monkeypatch.setattr(visitors, "NEW_SECONDS", 0)  # from now on nobody is new
    assert says(Chat(url)).status_code == 200


def test_a_new_visitor_is_a_newcomer_for_a_day():
    def visitor(made_at):
        number = f"{int(made_at * 1000):012x}"
        return SimpleNamespace(signed_in=False, user_id=f"anon_{number}{'7' * 20}")

    is_new = visitors.Visitor.newcomer.fget
    now = time.time()
    assert is_new(SimpleNamespace(signed_in=False, user_id=new_user(["k" * 32], COOKIE).id))
    assert is_new(visitor(now - 3_600))
    assert not is_new(visitor(now - 25 * 3_600))
    assert not is_new(visitor(now + 3_600))
    assert not is_new(SimpleNamespace(signed_in=True, user_id="oidc_x"))
    assert not is_new(SimpleNamespace(signed_in=False, user_id=f"anon_{'c4' * 16}"))


def test_a_refused_message_is_given_back_whatever_refused_it(limited):
    url = limited({"person": {"messages_per_day": 9, "answers_at_once": 1},
                   "stage": {"messages_per_day": 99}})  # fmt: skip
    chat = Chat(url)
    chat.http.post("/chatkit/session")
    for params in (
        {"thread_id": "unknown", "input": message("hi")},
        {"thread_id": "unknown", "input": message("hi", attachments=["atc_unknown"])},
        {"thread_id": "unknown", "input": message("hi", inference_options={"model": "none"})},
    ):
        assert chat.post("threads.add_user_message", **params).status_code in {404, 422}
    assert counted() == {"messages_per_day": 0}
    assert counted("Q#") == {"messages_per_day": 0, "answers_at_once": 0}
    assert text_of(chat.create("hi"))
    assert counted() == {"messages_per_day": 1}


def test_a_signed_out_visitor_uses_up_nothing(limited):
    chat = Chat(limited({"stage": {"upload_bytes_per_day": 1_000}, "kept_share": 0}))
    chat.create("hi")
    cookies = dict(chat.http.cookies)
    chat.http.post("/chatkit/session/end")
    chat.http.cookies.update(cookies)
    file = {"name": "a.txt", "size": 900, "mime_type": "text/plain"}
    assert chat.post("attachments.create", **file).status_code == 401
    assert counted() in ({}, {"upload_bytes_per_day": 0})


def test_a_notice_says_once_that_most_of_the_day_is_used(limited):
    chat = Chat(limited({"person": {"messages_per_day": 5}, "newcomers": 1}))
    notices = [
        [event["message"] for event in chat.create("hi") if event["type"] == "notice"]
        for _ in range(5)
    ]
    text = "You have used 80% of what you can use today: 4 of 5 messages."
    assert notices == [[], [], [], [text], []]


def test_a_visitor_reads_their_own_use_and_nobody_elses(limited):
    url = limited({"person": {"messages_per_day": 10, "answers_at_once": 3}, "newcomers": 1})
    ada, bob = Chat(url), Chat(url)
    ada.create("hi")
    answer = ada.http.get("/chatkit/usage")
    day = 86_400
    assert answer.json() == {
        "limits": [
            {"limit": "messages_per_day", "used": 1, "of": 10,
             "resets_at": (int(time.time()) // day + 1) * day},
            {"limit": "answers_at_once", "used": 0, "of": 3, "resets_at": None},
        ]
    }  # fmt: skip
    assert answer.headers["cache-control"] == "no-store"
    assert bob.http.get("/chatkit/usage").json()["limits"][0]["used"] == 0


def test_a_signed_in_person_of_a_role_has_other_limits(limited, issuer, sign_in_settings):
    table = {"person": {"messages_per_day": 1}, "roles": {"admin": 2},
             "tenant": {"messages_per_day": 3}}  # fmt: skip
    settings = sign_in_settings(limits=LimitTable.model_validate(table), oidc_tenant_claim="org")
    with served(create_app(settings)) as url:

        def statuses(times, **claims):
            chat = Chat(url)
            chat.http.headers["authorization"] = f"Bearer {issuer.token(**claims)}"
            return [says(chat).status_code for _ in range(times)]

        assert statuses(2, sub="ada", org="acme", roles=["user"]) == [200, 429]
        assert statuses(3, sub="eve", org="acme", roles=["admin"]) == [200, 200, 429]
        assert statuses(1, sub="bob", org="acme", roles=["user"]) == [429]
        assert statuses(1, sub="bob", org="globex", roles=["user"]) == [200]
