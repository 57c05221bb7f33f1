"""What single records of the table's stream tell."""

import json

import pytest

from functions.aws.keys import digest
from functions.changes.domain_events import DOMAIN_EVENT
from functions.changes.happened import BY_TTL, Happened
from functions.run_record import RunRecord, ToolCall
from infra.cli import events_page

THREAD = "U#ada%40example.com#T#thr_1"
RUN = {
    "run_id": "r1",
    "at": "2026-11-26T16:20:00.000000Z",
    "request": "threads.add_user_message",
    "owner": digest("ada%40example.com"),
    "thread_id": "thr_1",
    "message_id": "msg_1",
    "provider": "openai",
    "model": "gpt-5",
    "outcome": "completed",
    "duration_ms": 900,
}


def record(name, sort, *, pk=THREAD, old=None, new=None, by_ttl=False):
    return {
        "eventID": f"{name} {pk} {sort}",
        "eventName": name,
        "eventSource": "aws:dynamodb",
        **({"userIdentity": {"type": "Service", "principalId": BY_TTL}} if by_ttl else {}),
        "dynamodb": {
            "ApproximateCreationDateTime": 1795710000.0,
            "Keys": {"pk": {"S": pk}, "sk": {"S": sort}},
            "SequenceNumber": "111",
            **({"OldImage": old} if old else {}),
            **({"NewImage": new} if new else {}),
        },
    }


def told(*args, **more):
    return list(Happened(record(*args, **more), "test").events())


def run(**changes):
    made = RunRecord.model_validate({**RUN, **changes})
    return told("INSERT", "ENDED#r1", new={"body": {"S": made.model_dump_json()}})


def test_an_event_says_whose_it_is_when_and_where_and_is_the_same_each_time():
    first, again = (told("INSERT", "TOMBSTONE")[0] for _ in range(2))
    assert first == again
    assert first.owner == digest("ada%40example.com")
    assert (first.thread, first.sequence) == ("thr_1", "111")
    assert (first.stage, first.at) == ("test", "2026-11-26T16:20:00Z")
    assert DOMAIN_EVENT.validate_json(first.model_dump_json()) == first


@pytest.mark.parametrize(
    ("changes", "kind", "why"),
    [
        ({}, "answer.completed", None),
        ({"outcome": "waiting"}, "answer.waiting", None),
        ({"outcome": "failed", "error": "RateLimitError"}, "answer.failed", "RateLimitError"),
        ({"outcome": "stopped", "stop": "visitor"}, "answer.stopped", "visitor"),
    ],
)
def test_an_answer_has_an_event_by_how_it_ended(changes, kind, why):
    (event,) = run(**changes)
    assert event.type == kind
    assert getattr(event, "error", getattr(event, "stop", None)) == why
    assert (event.run, event.message, event.model) == ("r1", "msg_1", "gpt-5")


def test_each_tool_that_was_called_is_an_event_of_its_own():
    call = ToolCall(name="search", ms=20, outcome="ok")
    _, first, second = run(tools=[call, call])
    assert (first.type, first.tool, first.outcome, first.duration_ms) == (
        "tool.called",
        "search",
        "ok",
        20,
    )
    assert first.id != second.id


def test_an_action_is_an_event_and_so_is_the_answer_that_it_goes_on_with():
    assert [event.type for event in run(action="item.toggle", message_id=None)] == ["action.ended"]
    action, answer = run(action="approval.decide")
    assert (action.action, action.outcome) == ("approval.decide", "completed")
    assert answer.type == "answer.completed"
    assert action.id != answer.id


def test_a_thread_expires_only_where_ttl_has_removed_it():
    here = {"pk": "U#ada", "old": {"id": {"S": "thr_1"}}}
    assert told("REMOVE", "THREAD#thr_1", **here) == []
    (event,) = told("REMOVE", "THREAD#thr_1", **here, by_ttl=True)
    assert (event.type, event.thread, event.sequence) == ("thread.expired", "thr_1", None)


def mark(kind):
    return {"item": {"S": "msg_1"}, **({"kind": {"S": kind}} if kind else {})}


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("INSERT", None, mark("negative"), ["feedback.given"]),
        ("MODIFY", mark("negative"), mark("positive"), ["feedback.given"]),
        ("MODIFY", mark("negative"), mark("negative"), []),
        ("MODIFY", mark("negative"), mark(None), ["feedback.removed"]),
        ("INSERT", None, mark(None), []),
        ("REMOVE", mark("negative"), None, []),
    ],
)
def test_feedback_is_what_a_person_changed_and_no_purge(name, old, new, expected):
    assert [event.type for event in told(name, "FB#msg_1", old=old, new=new)] == expected


def document(state, **more):
    return {"state": {"S": state}, "path": {"S": "a.md"}, **more}


def test_a_document_is_told_when_its_ingestion_has_ended_and_when_it_is_removed():
    here = {"pk": "K#acme"}
    reading = document("indexing")
    ready = document("ready", passages={"N": "3"})
    failed = document("failed", error={"S": "It has no text."})
    assert told("INSERT", "DOC#d", **here, new=reading) == []
    (event,) = told("MODIFY", "DOC#d", **here, old=reading, new=ready)
    assert (event.type, event.document, event.tenant, event.path, event.passages) == (
        "document.ingested",
        "d",
        "acme",
        "a.md",
        3,
    )
    (event,) = told("MODIFY", "DOC#d", pk="K#@", old=reading, new=failed)
    assert (event.type, event.tenant, event.error) == ("document.failed", None, "It has no text.")
    (event,) = told("REMOVE", "DOC#d", **here, old=ready)
    assert (event.type, event.path) == ("document.removed", "a.md")


def test_a_deleted_person_is_told_once_and_by_their_digest_alone():
    (event,) = told("INSERT", "DELETED", pk="U#ada", new={"expires": {"N": "1"}})
    assert (event.type, event.owner) == ("person.deleted", digest("ada"))
    assert told("REMOVE", "DELETED", pk="U#ada", old={"expires": {"N": "1"}}) == []


def test_the_documents_are_made_from_the_code():
    """`python -m infra.cli.events_page` makes them."""
    text = events_page.PAGE.read_text()
    assert text == events_page.page(text)
    assert events_page.SCHEMA.read_text() == events_page.schema_text()
    assert len(json.loads(events_page.schema_text())["discriminator"]["mapping"]) == 17
