"""Each run leaves one record: in the log, and beside the thread's items."""

import logging
import os
import threading

import pytest

from functions.aws.clients import client
from functions.run_record import RunRecord
from tests.support.chat import message, thread_of
from tests.support.openai_server import Fail, Say


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
    caplog.set_level(logging.INFO, "functions.chat.recorder")
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
