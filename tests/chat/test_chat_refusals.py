"""No request causes a 5xx, and every error has a message that says why."""

import json
import random

import pytest

from functions.store import items
from tests.support.chat import JSON, Chat, message, thread_of
from tests.support.openai_server import Call, Fail

UNKNOWN = "thr_unknown"


def refused(answer, status):
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"message"}
    assert answer.json()["message"]
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("threads.get_by_id", {"thread_id": UNKNOWN}),
        ("threads.update", {"thread_id": UNKNOWN, "title": "t"}),
        ("threads.delete", {"thread_id": UNKNOWN}),
        ("attachments.delete", {"attachment_id": "atc_unknown"}),
        ("items.list", {"thread_id": UNKNOWN}),
        ("items.feedback", {"thread_id": UNKNOWN, "item_ids": ["i"], "kind": "positive"}),
        ("threads.add_user_message", {"thread_id": UNKNOWN, "input": message("hi")}),
        ("threads.add_client_tool_output", {"thread_id": UNKNOWN, "result": 1}),
        ("threads.retry_after_item", {"thread_id": UNKNOWN, "item_id": "i"}),
        (
            "threads.add_structured_input",
            {"thread_id": UNKNOWN, "item_id": "i", "input": {"answers": {}}},
        ),
        (
            "threads.custom_action",
            {
                "thread_id": UNKNOWN,
                "item_id": "i",
                "action": {"type": "item.toggle", "payload": {"id": "0" * 12, "done": True}},
            },
        ),
        ("threads.create", {"input": message("hi", attachments=["atc_unknown"])}),
    ],
)
def test_an_unknown_id_is_a_404_before_the_stream_starts(ada, kind, params):
    refused(ada.post(kind, **params), 404)


def test_a_thread_of_another_user_is_not_found(ada, bob):
    thread = thread_of(ada.create())
    for kind, params in [
        ("threads.get_by_id", {}),
        ("items.list", {}),
        ("threads.update", {"title": "mine"}),
        ("threads.add_user_message", {"input": message("hi")}),
        ("threads.retry_after_item", {"item_id": ada.items(thread)[0]["id"]}),
    ]:
        refused(bob.post(kind, thread_id=thread, **params), 404)
    refused(bob.post("threads.delete", thread_id=thread), 404)
    assert len(ada.items(thread)) == 2
    assert bob.read("threads.list")["data"] == []


def test_a_request_on_an_item_of_the_wrong_kind_or_state_is_rejected(ada, model):
    thread = thread_of(ada.create())
    _, answer = ada.items(thread)
    refused(ada.post("threads.retry_after_item", thread_id=thread, item_id="msg_none"), 404)
    refused(ada.post("threads.retry_after_item", thread_id=thread, item_id=answer["id"]), 422)
    refused(ada.post("threads.add_client_tool_output", thread_id=thread, result=1), 409)
    asked = {"thread_id": thread, "item_id": answer["id"], "input": {"answers": {}}}
    refused(ada.post("threads.add_structured_input", **asked), 422)


def test_questions_can_be_answered_only_once(ada, model):
    model.script = [Call("ask_visitor")]
    thread = thread_of(ada.create())
    item = ada.items(thread)[-1]["id"]
    asked = {"thread_id": thread, "item_id": item, "input": {"answers": {}}}
    ada.stream("threads.add_structured_input", **asked)
    refused(ada.post("threads.add_structured_input", **asked), 409)


@pytest.mark.parametrize("options", [{"model": "gpt-unknown"}, {"tool_choice": {"id": "rm_rf"}}])
def test_an_unknown_model_or_tool_is_rejected(ada, options):
    given = message("hi", inference_options=options)
    refused(ada.post("threads.create", input=given), 422)


def test_a_body_over_the_limit_is_a_413(ada, app_settings):
    body = b" " * (app_settings.max_body_bytes + 1)
    refused(ada.http.post("/chatkit", content=body, headers=JSON), 413)

    def pieces():  # a body without content-length
        for _ in range(5):
            yield b" " * 1024 * 1024

    refused(ada.http.post("/chatkit", content=pieces(), headers=JSON), 413)


@pytest.mark.parametrize("length", [252, 100_000, 150_000])
def test_a_mime_type_of_more_than_255_characters_is_rejected(ada, length):
    file = {"name": "a.bin", "size": 10, "mime_type": "text/" + "x" * (length - 5)}
    answer = ada.post("attachments.create", **file)
    if length <= 255:
        assert answer.status_code == 200
    else:
        refused(answer, 422)
        assert "at most 255 characters" in answer.json()["message"]


def test_feedback_on_an_id_that_is_too_long_is_a_404(ada):
    thread = thread_of(ada.create())
    marked = {"thread_id": thread, "item_ids": ["x" * 10_000], "kind": "positive"}
    refused(ada.post("items.feedback", **marked), 404)


def test_dictation_without_a_provider_names_the_setting_that_turns_it_on(demo):
    answer = Chat(demo).post("input.transcribe", audio_base64="AAAA", mime_type="audio/webm")
    refused(answer, 400)
    assert "OPENAI_API_KEY" in answer.json()["message"]


def test_a_refusal_of_the_provider_is_logged_without_words(ada, model, caplog):
    model.script = [Fail(401, "the key of Ada is wrong")]
    assert ada.create("My secret")[-1]["type"] == "error"
    assert "provider=compatible model=test status=401 code=- request_id=-" in caplog.text
    assert "Ada" not in caplog.text
    assert "secret" not in caplog.text


def test_unknown_paths_and_methods_get_a_json_error(ada):
    refused(ada.http.get("/chatkit/nothing"), 404)
    refused(ada.http.get("/chatkit"), 405)
    refused(ada.http.post("/chatkit/log", content=b"{", headers=JSON), 422)


def test_no_request_causes_a_status_of_500_or_above(ada):
    """Sends valid requests with random changes, from a fixed seed."""
    thread = thread_of(ada.create())
    item = ada.items(thread)[0]["id"]
    valid = [
        {"type": "threads.get_by_id", "params": {"thread_id": thread}},
        {"type": "threads.list", "params": {"limit": 5, "order": "asc", "after": "x"}},
        {"type": "items.list", "params": {"thread_id": thread, "after": item, "order": "desc"}},
        {"type": "threads.update", "params": {"thread_id": thread, "title": "t"}},
        {
            "type": "items.feedback",
            "params": {"thread_id": thread, "item_ids": [item], "kind": "positive"},
        },
        {
            "type": "attachments.create",
            "params": {"name": "a.png", "size": 10, "mime_type": "image/png"},
        },
        {"type": "attachments.delete", "params": {"attachment_id": "atc_1"}},
        {
            "type": "threads.sync_custom_action",
            "params": {
                "thread_id": thread,
                "item_id": item,
                "action": {"type": "item.toggle", "payload": {"id": "0" * 12, "done": True}},
            },
        },
    ]
    strange = [
        None,
        True,
        -1,
        0,
        10**30,
        1.5,
        "",
        "x" * 3000,
        "é😀#/ ",
        "\x00",
        [],
        [[]],
        {},
        {"a": 1},
    ]
    dice = random.Random(7)
    for _ in range(300):
        body = json.loads(json.dumps(dice.choice(valid)))
        params = body["params"]
        params[dice.choice([*params, "extra"])] = dice.choice(strange)
        if dice.random() < 0.2:
            body["params"] = dice.choice(strange)
        answer = ada.http.post("/chatkit", content=json.dumps(body), headers=JSON)
        assert answer.status_code < 500, (body, answer.text)
        assert answer.status_code == 200 or answer.json()["message"]


class TestWithLimits:
    @pytest.fixture
    def app_settings(self, app_settings):
        return app_settings.model_copy(update={"messages_per_minute": 2, "messages_per_day": 100})

    def test_messages_over_the_quota_are_rejected_before_the_model_is_called(self, ada, bob, model):
        # A new minute may begin once in between, so that four are answered, but never five.
        answers = [ada.post("threads.create", input=message("hi")) for _ in range(5)]
        assert {answer.status_code for answer in answers[:2]} == {200}
        over = [answer for answer in answers if answer.status_code == 429]
        assert over
        refused(over[0], 429)
        assert int(over[0].headers["retry-after"]) <= 60
        assert bob.post("threads.create", input=message("hi")).status_code == 200

    def test_a_rejected_request_writes_nothing(self, ada):
        answers = [ada.post("threads.create", input=message("hi")) for _ in range(5)]
        statuses = [answer.status_code for answer in answers]
        assert set(statuses) == {200, 429}
        assert len(ada.read("threads.list")["data"]) == statuses.count(200)


BAD_RUN_IDS = ["", "r" * 101, "a b", "a/b", "é", "a%0A"]


@pytest.mark.parametrize("run_id", BAD_RUN_IDS)
@pytest.mark.parametrize(
    "request_line",
    [
        ("POST", "/chatkit", {"type": "threads.create", "params": {"input": message("hi")}}),
        ("POST", "/chatkit", {"type": "threads.list", "params": {}}),
        ("GET", "/chatkit/entities", None),
        ("GET", "/chatkit/files/f", None),
        ("POST", "/chatkit/feedback/remove", {"thread_id": "t", "item_ids": ["i"]}),
    ],
)
def test_a_run_id_that_is_no_token_is_refused_by_every_route(ada, model, run_id, request_line):
    method, path, body = request_line
    headers = {"x-chatkit-run-id": run_id.encode()}
    answer = ada.http.request(method, path, json=body, headers=headers)
    refused(answer, 422)
    assert "x-chatkit-run-id" in answer.json()["message"]
    assert model.requests == []


@pytest.mark.parametrize("run_id", BAD_RUN_IDS)
def test_a_run_id_that_is_no_token_cannot_be_stopped(actions, run_id):
    refused(Chat(actions).http.post("/actions/cancel", json={"run_id": run_id}), 422)


def test_a_run_id_of_100_characters_is_taken(ada, actions):
    run_id = "a.B-9_" + "r" * 94
    ada.create("Hi", {"x-chatkit-run-id": run_id})
    stopped = Chat(actions).http.post("/actions/cancel", json={"run_id": run_id})
    assert stopped.status_code == 200


@pytest.mark.parametrize(
    "path", ["/chatkit/entities", "/chatkit/files/f", "/chatkit/nothing", "/chatkit/health"]
)
def test_no_cache_keeps_an_answer(ada, path):
    assert ada.http.get(path).headers["cache-control"] == "no-store"


def test_no_cache_keeps_what_chatkit_reads(ada):
    assert ada.post("threads.list").headers["cache-control"] == "no-store"


def test_a_request_that_says_too_much_writes_nothing(ada, model):
    """4 MB of `quoted_text` passed, and 25 such turns made `items.list` answer 205 MB."""
    long = message("hi", quoted_text="q" * 3_900_000)
    refused(ada.post("threads.create", input=long), 413)
    thread = thread_of(ada.create())
    refused(ada.post("threads.add_user_message", thread_id=thread, input=long), 413)
    assert len(ada.items(thread)) == 2
    assert len(ada.read("threads.list")["data"]) == 1


def test_the_pages_of_a_long_conversation_are_limited_in_bytes_and_lose_nothing(ada, monkeypatch):
    monkeypatch.setattr(items, "MAX_PAGE_BYTES", 50_000)
    thread = thread_of(ada.create("a" * 20_000))
    for letter in "bcd":
        ada.say(thread, letter * 20_000)
    found, after = [], None
    while True:
        answer = ada.post("items.list", thread_id=thread, order="asc", limit=100, after=after)
        assert len(answer.content) < 60_000
        page = answer.json()
        found += [item["content"][0]["text"][0] for item in page["data"]]
        if not page["has_more"]:
            break
        after = page["after"]
    assert [each for each in found if each in "abcd"] == list("abcd")
    assert len(found) == 8
