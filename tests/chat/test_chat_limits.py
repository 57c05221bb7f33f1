"""Limits over HTTP: a refusal is a 429 before the stream, writes nothing, and costs nobody else."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from fastapi.routing import APIRoute

from functions import aws
from functions.actions.app import create_app as create_actions
from functions.actions.app import router as actions_router
from functions.chat.app import create_app
from functions.chat.app import router as chat_router
from functions.limit_table import LimitTable
from functions.limits.answer_use import AnswerUse
from functions.settings import get_settings
from functions.web.identity import visitor as visitors
from functions.web.identity.anonymous import COOKIE, new_user
from tests.support.chat import Chat, message, text_of, thread_of
from tests.support.openai_server import Call, Fail, Say
from tests.support.served import served
from tests.support.turnstile import SECRET, SITE_KEY

RUN = {"x-chatkit-run-id": "again"}


@pytest.fixture(autouse=True)
def no_counters(cloud):
    """The stage's counters are those of all tests of this file."""
    table = {"TableName": get_settings().table}
    client = aws.client("dynamodb")
    for page in client.get_paginator("scan").paginate(**table):
        for row in page["Items"]:
            if row["sk"]["S"] == "COUNTERS":
                client.delete_item(Key={"pk": row["pk"], "sk": row["sk"]}, **table)


@pytest.fixture
def limited(app_settings):
    """`limited({"person": {…}})` is the address of an app with these limits, and of both functions
    with `actions=True`."""
    running = []

    def start(table, *, actions=False, **settings):
        made = app_settings.model_copy(
            update={"limits": LimitTable.model_validate(table), **settings}
        )
        create = create_actions if actions else create_app
        running.append(served(create(made)))
        return running[-1].__enter__()

    yield start
    for each in running:
        each.__exit__(None, None, None)


def counted(scope="L#stage#0"):
    """The numbers of a row of counters by the names of their measures, without the holds."""
    rows = aws.client("dynamodb").get_paginator("scan").paginate(TableName=get_settings().table)
    return {
        name.split(":")[0]: int(value["N"])
        for page in rows
        for row in page["Items"]
        if row["pk"]["S"].startswith(scope) and row["sk"]["S"] == "COUNTERS"
        for name, value in row.items()
        if name.count(":") == 1
    }


def at_once(times, request):
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(request, range(times)))


def says(chat):
    """A request whose text and status are read whole."""
    return chat.post("threads.create", input=message("hi"))


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


def test_a_repeated_request_is_answered_over_the_limit_and_counts_once(limited):
    chat = Chat(limited({"person": {"messages_per_minute": 1}, "stage": {"messages_per_day": 9}}))
    chat.http.post("/chatkit/session")
    first = chat.create("hi", RUN)
    again = chat.create("hi", RUN)
    assert thread_of(again) == thread_of(first)
    assert counted() == {"messages_per_day": 1}


def test_one_replay_is_streamed_and_others_are_told_that_the_answer_is_running(limited, model):
    gate = threading.Event()
    model.script = [Say("one two three", gate=gate)]
    chat = Chat(limited({"person": {"answers_at_once": 9}}))
    chat.http.post("/chatkit/session")
    with chat.open("threads.create", RUN, input=message("Count")) as events:
        thread = next(e["thread"]["id"] for e in events if e["type"] == "thread.created")
        next(e for e in events if e["type"] == "thread.item.updated")
        with chat.open("threads.create", RUN, input=message("Count")) as replayed:
            others = at_once(8, lambda _: chat.post("threads.create", RUN, input=message("Count")))
            gate.set()
            items = [event for event in replayed if event["type"] == "thread.item.done"]
        list(events)
    for other in others:
        assert other.status_code == 200
        assert other.headers["content-type"].startswith("text/event-stream")
        assert other.headers["x-chatkit-running"].split()[0] == "again"
        assert other.text.count("data:") == 1
        assert thread in other.text  # which the page fetches until the answer is there
    assert items[-1]["item"]["content"][0]["text"] == "one two three"
    assert len(model.requests) == 1
    assert counted("Q#") == {"answers_at_once": 0}
    # Once the first replay has ended, there may be another one.
    assert thread_of(chat.create("Count", RUN)) == thread


def test_so_many_answers_of_one_person_are_streamed_at_one_time(limited, model):
    gate = threading.Event()
    model.script = [Say("one two three", gate=gate)]
    url = limited({"person": {"answers_at_once": 2}})
    chat, other = Chat(url), Chat(url)
    chat.http.post("/chatkit/session")

    def say(_):
        answer = says(chat)
        if answer.status_code == 429:
            gate.set()  # the two that run may end
        return answer

    answers = at_once(3, say)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 429]
    (refused,) = [answer for answer in answers if answer.status_code == 429]
    assert "still being written" in refused.json()["message"]
    assert int(refused.headers["retry-after"]) == 5
    assert says(chat).status_code == 200
    assert says(other).status_code == 200
    assert counted("Q#") == {"answers_at_once": 0}


TOKENS = {"person": {"input_tokens_per_day": 100_000, "output_tokens_per_day": 50_000},
          "newcomers": 1}  # fmt: skip


@pytest.fixture(params=["responses", "chat_completions"])
def api(request):
    return request.param


def used(chat):
    return {
        each["limit"]: each["used"] for each in chat.http.get("/chatkit/usage").json()["limits"]
    }


def test_what_the_provider_reports_is_counted_titles_too(limited, model):
    chat = Chat(limited(TOKENS, model_api="responses"))
    chat.create("hi")
    calls = 2  # the answer and the title, of which the test's model reports 10 and 5 tokens each
    assert used(chat) == {"input_tokens_per_day": 10 * calls, "output_tokens_per_day": 5 * calls}


def test_an_answer_that_is_stopped_counts_what_was_sent_and_what_came(limited, model):
    chat = Chat(limited(TOKENS))
    actions = limited(TOKENS, actions=True)
    words = "word " * 400
    model.script = [Say(words + "end", gate=threading.Event())]
    with chat.open("threads.create", RUN, input=message("Count")) as events:
        seen = 0
        for event in events:
            seen += event["type"] == "thread.item.updated" and "delta" in event["update"]
            if seen == 400:
                break
        chat.http.post(f"{actions}/actions/cancel", json={"run_id": "again"})
        list(events)
    assert 500 <= used(chat)["output_tokens_per_day"] <= 530
    assert 50 <= used(chat)["input_tokens_per_day"] <= 5_000


def test_a_title_takes_nothing_of_what_is_reserved_for_the_answer(limited, model, monkeypatch):
    asked = []
    begin = AnswerUse.begin_call

    async def noted(self, input_tokens, output_tokens):
        missing = self._reserved
        call = await begin(self, input_tokens, output_tokens)
        asked.append(self._reserved == missing)
        return call

    monkeypatch.setattr(AnswerUse, "begin_call", noted)
    Chat(limited(TOKENS)).create("hi")
    assert asked == [True, False]  # the answer needs nothing more, and the title comes after it


def test_a_signed_out_visitor_uses_up_nothing(limited):
    chat = Chat(limited({"stage": {"upload_bytes_per_day": 1_000}, "kept_share": 0}))
    chat.create("hi")
    cookies = dict(chat.http.cookies)
    chat.http.post("/chatkit/session/end")
    chat.http.cookies.update(cookies)
    file = {"name": "a.txt", "size": 900, "mime_type": "text/plain"}
    assert chat.post("attachments.create", **file).status_code == 401
    assert counted() in ({}, {"upload_bytes_per_day": 0})


def test_a_repeated_request_counts_as_a_request(limited):
    chat = Chat(limited({"person": {"requests_per_minute": 4}}))
    statuses = [
        chat.post("threads.create", RUN, input=message("hi")).headers.get("x-chatkit-running")
        for _ in range(12)
    ]
    assert statuses.count(None) < 12


def test_a_provider_that_refuses_costs_no_tokens(limited, model):

    chat = Chat(limited(TOKENS))
    model.script = [Fail(401, "no")]
    chat.create("hi")
    assert used(chat)["output_tokens_per_day"] <= 10  # a title may have been made


def test_the_reservation_of_a_long_conversation_shrinks_to_what_it_is(limited, model):
    url = limited({"person": {"input_tokens_per_day": 12_000}, "newcomers": 1})
    chat = Chat(url)
    thread = thread_of(chat.create("hi"))
    # 32,000 tokens of history would be too much, but this conversation has few.
    assert text_of(chat.say(thread, "and?"))
    assert (
        chat.post(
            "threads.add_user_message", thread_id=thread, input=message("x" * 60_000)
        ).status_code
        == 413
    )


def test_a_limit_that_is_reached_between_two_calls_of_the_model_ends_the_answer_in_words(
    limited, model
):
    model.script = [Call("say_hello", {"name": "x" * 12_000})] * 9
    url = limited({"person": {"input_tokens_per_day": 8_000}, "newcomers": 1})
    chat = Chat(url)
    events = chat.create("hi")
    assert [event["type"] for event in events][-1] == "error"
    assert "today" in events[-1]["message"]
    assert 1 <= len(model.requests) < 9


def test_the_longest_answer_is_told_to_the_model(limited, model, api):
    chat = Chat(limited(TOKENS, model_api=api, answer_tokens=1_234))
    chat.create("hi")
    (sent,) = model.requests
    if api == "responses":
        assert sent["max_output_tokens"] == 1_234
    else:
        assert sent["max_tokens"] == 1_234
    assert "stream_options" not in sent  # some servers refuse it


def test_nothing_is_told_to_the_model_without_limits(limited, model, api):
    Chat(limited({}, model_api=api)).create("hi")
    (sent,) = model.requests
    assert {"max_tokens", "max_output_tokens", "stream_options"}.isdisjoint(sent)


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


def test_upload_links_are_refused_over_the_bytes_of_a_day(limited):
    url = limited({"person": {"upload_bytes_per_day": 1_000}, "newcomers": 1})
    actions = limited(
        {"person": {"upload_bytes_per_day": 1_000}, "newcomers": 1},
        actions=True,
        transcription_base_url="http://127.0.0.1:9/v1",
        transcription="openai",
    )
    chat = Chat(url)
    chat.http.post("/chatkit/session")

    def announce(size):
        return chat.post("attachments.create", name="a.txt", size=size, mime_type="text/plain")

    assert announce(10**9).status_code == 422  # too large: refused, and not counted
    assert [announce(400).status_code for _ in range(3)] == [200, 200, 429]
    audio = {"mime_type": "audio/webm", "size": 900}
    refused = chat.http.post(f"{actions}/actions/uploads", json=audio)
    assert refused.status_code == 429
    assert "files" in refused.json()["message"]
    assert used(chat) == {"upload_bytes_per_day": 800}


READS = {"/chatkit", "/chatkit/entities", "/chatkit/usage", "/chatkit/health", "/actions/health",
         "/chatkit/files/{attachment_id}", "/actions/transcribe"}  # fmt: skip
"""`/chatkit` has a test of its own, and a transcription counts as a message."""


def writes():
    return [
        pytest.param(method, route.path, id=f"{method} {route.path}")
        for router in (chat_router, actions_router)
        for route in router.routes
        if isinstance(route, APIRoute) and route.path not in READS
        for method in sorted(route.methods - {"HEAD"})
    ]


CHALLENGED = {"turnstile_site_key": SITE_KEY, "turnstile_secret": SECRET}


@pytest.mark.parametrize("settings", [{}, CHALLENGED], ids=["new", "challenged"])
@pytest.mark.parametrize(("method", "path"), writes())
def test_every_route_that_changes_something_is_counted(limited, method, path, settings):
    table = {"network": {"requests_per_minute": 2}}
    url = limited(table, actions=path.startswith("/actions"), behind_cloudfront=True, **settings)
    statuses = []
    for _ in range(6):  # a new minute may begin once in between
        chat = Chat(url)
        chat.http.headers["x-chatkit-viewer-ip"] = "203.0.113.7"
        statuses.append(chat.http.request(method, path, json={}).status_code)
    assert statuses.count(429) >= 2
    elsewhere = {"x-chatkit-viewer-ip": "203.0.114.7"}
    assert Chat(url).http.request(method, path, json={}, headers=elsewhere).status_code != 429


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("threads.update", {"thread_id": "t", "title": "x"}),
        ("threads.delete", {"thread_id": "t"}),
        ("items.feedback", {"thread_id": "t", "item_ids": ["m"], "kind": "positive"}),
        ("attachments.create", {"name": "a.txt", "size": 3, "mime_type": "text/plain"}),
        ("attachments.delete", {"attachment_id": "a"}),
    ],
)
def test_every_operation_that_changes_something_is_counted(limited, kind, params):
    chat = Chat(limited({"person": {"requests_per_minute": 2}}))
    chat.http.post("/chatkit/session")
    statuses = [chat.post(kind, **params).status_code for _ in range(6)]
    assert statuses.count(429) >= 2
    assert chat.post("threads.list").status_code == 200


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("203.0.113.200", True),
        ("203.0.112.1", False),
        ("::ffff:203.0.113.9", True),
        ("2001:db8::1", False),
        ("not an address", False),
    ],
)
def test_people_of_one_network_share_its_limits(limited, address, same):
    url = limited({"network": {"messages_per_day": 1}}, behind_cloudfront=True)
    first, second = Chat(url), Chat(url)
    first.http.headers["x-chatkit-viewer-ip"] = "203.0.113.1"
    second.http.headers["x-chatkit-viewer-ip"] = address
    assert says(first).status_code == 200
    assert says(second).status_code == (429 if same else 200)


def test_an_ipv6_network_is_the_first_64_bits(limited):
    url = limited({"network": {"messages_per_day": 1}}, behind_cloudfront=True)
    statuses = []
    for address in ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1"):
        chat = Chat(url)
        chat.http.headers["x-chatkit-viewer-ip"] = address
        statuses.append(says(chat).status_code)
    assert statuses == [200, 429, 200]


def test_an_address_that_anybody_can_write_is_not_believed_and_none_is_stored(limited):
    url = limited({"network": {"messages_per_day": 1}})
    for _ in range(2):
        chat = Chat(url)
        chat.http.headers["x-chatkit-viewer-ip"] = "203.0.113.1"
        chat.http.headers["x-forwarded-for"] = "203.0.113.1"
        assert says(chat).status_code == 200
    behind = Chat(limited({"network": {"messages_per_day": 9}}, behind_cloudfront=True))
    behind.http.headers["x-chatkit-viewer-ip"] = "203.0.113.1"
    says(behind)
    rows = aws.client("dynamodb").scan(TableName=get_settings().table)["Items"]
    assert "203.0.113" not in json.dumps(rows)


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
