"""A message that is stored is sent to the page, even when it is over the quota or not counted."""

import pytest
from botocore.exceptions import ClientError

from functions.store import OverQuota, Quota
from tests.support.chat import text_of, thread_of

RUN = {"x-chatkit-run-id": "counted"}
WORDS = "You have sent many messages in a short time."


@pytest.fixture
def spending(monkeypatch):
    """`spending(error)` makes counting a message raise `error`."""

    def raise_when_counted(error):
        async def spend(*_):
            raise error

        monkeypatch.setattr(Quota, "spend", spend)

    return raise_when_counted


@pytest.fixture(params=["new thread", "existing thread"])
def send(request, ada):
    """Sends the same message, as often as it is called."""
    if request.param == "new thread":
        return lambda: ada.create("How many?", RUN)
    thread = thread_of(ada.create("Hi"))
    return lambda: ada.say(thread, "How many?", RUN)


def _stored_copies(ada):
    """The number of copies of the message in the visitor's threads."""
    threads = [thread["id"] for thread in ada.read("threads.list")["data"]]
    return [
        item["content"][0]["text"]
        for thread in threads
        for item in ada.items(thread)
        if item["type"] == "user_message"
    ].count("How many?")


def test_a_message_over_the_quota_is_stored_once_and_not_sent_to_the_model(
    ada, model, send, spending
):
    spending(OverQuota(WORDS, 30))
    calls, threads = len(model.requests), len(ada.read("threads.list")["data"])
    events = send()
    said = [event for event in events if event["type"] != "stream_options"]
    assert [event["type"] for event in said][-2:] == ["thread.item.done", "error"]
    assert said[-2]["item"]["content"][0]["text"] == "How many?"
    assert (said[-1]["message"], said[-1]["allow_retry"]) == (WORDS, True)
    assert len(said) == (2 if threads else 3)
    if not threads:
        assert said[0]["thread"]["id"] == said[1]["item"]["thread_id"]
    assert _stored_copies(ada) == 1

    again = send()
    assert "error" not in {event["type"] for event in again}
    assert said[-2]["item"]["id"] in {event.get("item", {}).get("id") for event in again}
    assert _stored_copies(ada) == 1
    assert len(ada.read("threads.list")["data"]) == 1
    assert len(model.requests) == calls


def test_a_message_over_the_quota_can_be_retried_later(ada, model, spending, monkeypatch):
    spending(OverQuota(WORDS, 30))
    events = ada.create("How many?")
    monkeypatch.undo()
    thread, message = thread_of(events), events[1]["item"]["id"]
    assert text_of(ada.stream("threads.retry_after_item", thread_id=thread, item_id=message))
    kinds = [item["type"] for item in ada.items(thread)]
    assert kinds == ["user_message", "assistant_message"]


def test_a_message_is_answered_when_counting_it_fails_and_the_error_is_logged(
    ada, send, spending, caplog
):
    spending(ClientError({"Error": {"Code": "InternalServerError"}}, "UpdateItem"))
    events = send()
    assert "error" not in {event["type"] for event in events}
    assert text_of(events)
    assert _stored_copies(ada) == 1
    (line,) = [
        each.getMessage() for each in caplog.records if each.name == "functions.chat.run_store"
    ]
    assert "InternalServerError" in line
    assert "How many?" not in line


def test_a_retry_over_the_quota_is_rejected_before_it_changes_anything(ada, model, spending):
    thread = thread_of(ada.create("Hi"))
    message, answer = ada.items(thread)
    calls = len(model.requests)
    spending(OverQuota(WORDS, 30))
    (error,) = ada.stream("threads.retry_after_item", thread_id=thread, item_id=message["id"])
    assert (error["message"], error["allow_retry"]) == (WORDS, True)
    assert ada.items(thread) == [message, answer]
    assert len(model.requests) == calls
