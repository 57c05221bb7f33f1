"""Each run leaves one record: in the log, and beside the thread's items."""

import logging
import os
import threading

import pytest

from functions.aws.clients import client
from functions.chat import message as message_module
from functions.run_record import RunRecord
from tests.assistants.sample.features import breakdown
from tests.support.chat import ELSEWHERE, message, thread_of
from tests.support.openai_server import Call, Fail, Say


@pytest.fixture
def records(cloud):
    """The records of the test's runs in the table, the newest last."""

    def stored():
        rows = client("dynamodb").scan(
            TableName=os.environ["CHATKIT_TABLE"],
            FilterExpression="begins_with(sk, :ended)",
            ExpressionAttributeValues={":ended": {"S": "ENDED#"}},
        )["Items"]
        found = [RunRecord.model_validate_json(row["body"]["S"]) for row in rows]
        return sorted(found, key=lambda record: record.at)

    earlier = len(stored())
    return lambda: stored()[earlier:]


def test_a_run_leaves_a_record_without_any_words(ada, model, records, caplog):
    caplog.set_level(logging.INFO, "functions.run_log")
    model.script = [Say("a secret answer")]
    events = ada.create("a secret question")
    [record] = records()
    assert record.thread_id == thread_of(events)
    assert (record.outcome, record.error, record.request) == ("completed", None, "threads.create")
    assert record.message_id.startswith("msg_")
    assert record.input_tokens >= 10
    assert record.first_token_ms <= record.duration_ms
    assert "secret" not in record.model_dump_json()
    [line] = [each for each in caplog.records if hasattr(each, "outcome")]
    assert (line.run_id, line.first_token_ms) == (record.run_id, record.first_token_ms)


def test_a_run_that_fails_names_the_kind_of_its_error(ada, model, records):
    model.script = [Fail(429), Fail(429), Fail(429)]
    ada.create("hi")
    [record] = records()
    assert (record.outcome, record.error) == ("failed", "RateLimitError")


def test_a_fault_has_the_id_of_its_run_in_the_header_and_in_the_text(ada, model, records):
    model.script = [Fail(401)]
    answer = ada.post("threads.create", input=message("hi"))
    [record] = records()
    assert answer.headers["x-chatkit-run-id"] == record.run_id
    assert f"the API key. (run {record.run_id})" in answer.text


def test_a_repeated_request_is_told_the_id_of_the_run_that_it_repeats(ada, model):
    run = {"x-chatkit-run-id": "again-1", "origin": ELSEWHERE}
    for _ in range(2):
        answer = ada.post("threads.create", run, input=message("hi"))
        assert answer.headers["x-chatkit-run-id"] == "again-1"
        assert "x-chatkit-run-id" in answer.headers["access-control-expose-headers"]


def test_a_fault_before_the_stream_names_the_run_and_its_line_does_too(
    ada, model, monkeypatch, caplog
):
    async def broken(*_):
        raise RuntimeError("a secret")

    monkeypatch.setattr(message_module, "check", broken)
    for run in ("broken-1", "not an id"):
        answer = ada.post("threads.create", {"x-chatkit-run-id": run}, input=message("hi"))
        named = run == "broken-1"
        assert answer.status_code == (500 if named else 422)
        assert ("(run broken-1)" in answer.text) is named
    [line] = [each for each in caplog.records if each.getMessage().startswith("unexpected error")]
    assert line.run_id == "broken-1"


def test_a_run_that_the_visitor_stops_says_so(ada, model, records, actions):
    run = {"x-chatkit-run-id": "stopped-1"}
    model.script = [Say("word " * 400 + "end", gate=threading.Event())]
    with ada.open("threads.create", run, input=message("Count")) as events:
        seen = 0
        for event in events:
            seen += event["type"] == "thread.item.updated" and "delta" in event["update"]
            if seen == 300:
                break
        ada.http.post(f"{actions}/actions/cancel", json={"run_id": "stopped-1"})
        list(events)
    [record] = records()
    assert (record.run_id, record.outcome, record.stop) == ("stopped-1", "stopped", "visitor")


def test_only_the_first_run_of_a_process_is_a_cold_start(ada, model, records):
    model.script = [Say("one"), Say("two")]
    ada.create("hi")
    ada.create("hi")
    assert [record.cold_start for record in records()] == [True, False]


def test_a_record_has_each_call_of_a_tool_with_its_time_and_outcome(
    ada, model, records, monkeypatch
):
    monkeypatch.setattr(breakdown.wait.function_tool, "timeout_seconds", 0.05)
    sum_up = Call("add", {"a": 1, "b": 2})
    model.script = [sum_up, Call("break_down"), Call("refuse"), Call("wait"), Say("Three.")]
    ada.create("How much is it?")
    [record] = records()
    assert [(call.name, call.outcome) for call in record.tools] == [
        ("add", "ok"),
        ("break_down", "failed"),
        ("refuse", "failed"),
        ("wait", "failed"),
    ]
    assert record.tools[-1].ms >= 50
    assert record.outcome == "completed"


def test_the_line_of_a_run_names_its_trace(ada, model, caplog, monkeypatch):
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3f;Parent=53995c3f;Sampled=1")
    caplog.set_level(logging.INFO, "functions.run_log")
    ada.create("hi")
    [line] = [each for each in caplog.records if hasattr(each, "outcome")]
    assert line.trace_id == "1-5759e988-bd862e3f"


class TestWithAFallback:
    @pytest.fixture
    def app_settings(self, app_settings):
        return app_settings.model_copy(update={"fallback_model": "second"})

    def test_a_record_names_the_model_that_has_answered(self, ada, model, records):
        model.script = [Fail(503), Say("Hello")]
        ada.create("hi")
        [record] = records()
        assert [request["model"] for request in model.requests] == ["test", "second"]
        assert record.model == "second"
