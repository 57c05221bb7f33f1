"""The handler that Lambda calls, with events as a stream and S3 send them."""

import pytest

from functions.aws.bucket import Bucket
from functions.aws.clients import client
from functions.settings import get_settings
from functions.store import DynamoDBStore
from tests.assistants.sample.features import items
from tests.support.handler import Environment
from tests.support.invocations import statuses_without_leaks
from tests.support.person import Person


@pytest.fixture(scope="module")
def function(cloud):
    environment = Environment("functions.events.handler")
    yield environment
    environment.thread.shutdown()


@pytest.fixture
def grace():
    return Person(None)


def removal(sort, number="1", partition="U#ada", old=None, name="REMOVE"):
    key = {"pk": {"S": partition}, "sk": {"S": sort}}
    return {
        "eventSource": "aws:dynamodb",
        "eventName": name,
        "dynamodb": {"Keys": key, "OldImage": {**key, **(old or {})}, "SequenceNumber": number},
    }


async def test_the_items_of_a_deleted_thread_are_removed_even_when_the_event_comes_twice(
    function, grace
):
    table = grace.store.table.name
    store = DynamoDBStore(table, purge="stream")
    thread = await grace.thread()
    await grace.shown(thread, items.card([]))
    await store.delete_thread(thread.id, grace.context)

    def rows():
        found = client("dynamodb").query(
            TableName=table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"U#{grace.user.id}#T#{thread.id}"}},
        )["Items"]
        return [row["sk"]["S"] for row in found if row["sk"]["S"].startswith("ITEM#")]

    assert rows()
    event = {"Records": [removal(f"THREAD#{thread.id}", partition=f"U#{grace.user.id}")]}
    for _ in range(2):
        assert function.invoke(event) == {"batchItemFailures": []}
        assert rows() == []


def test_only_the_failed_record_is_delivered_again(function):
    poisoned = removal("THREAD#x", "22")
    del poisoned["dynamodb"]["Keys"]["pk"]["S"]
    event = {"Records": [removal("THREAD#a", "11"), poisoned, removal("THREAD#c", "33")]}
    for _ in range(2):
        assert function.invoke(event) == {"batchItemFailures": [{"itemIdentifier": "22"}]}


async def test_a_body_in_s3_is_removed_with_its_row(function):
    bucket = Bucket(get_settings().attachments_bucket)
    await bucket.put("spill/u/t/i/old", b"x", "application/zlib")
    event = {
        "Records": [
            removal(
                "ITEM#i",
                partition="U#u#T#t",
                old={"spill": {"S": "spill/u/t/i/old"}},
                name="MODIFY",
            )
        ]
    }
    assert function.invoke(event) == {"batchItemFailures": []}
    assert await bucket.head("spill/u/t/i/old") is None


def created(key):
    return {"eventSource": "aws:s3", "s3": {"object": {"key": key}}}


async def test_an_upload_of_another_type_than_announced_is_removed(function):
    bucket = Bucket(get_settings().attachments_bucket)
    png = b"\x89PNG\r\n\x1a\n" + bytes(20)
    await bucket.put("uploads/u/good", png, "image/png")
    await bucket.put("uploads/u/jpeg", b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/png")
    await bucket.put("uploads/u/b+ad ü", b"<html>", "image/png")
    await bucket.put("uploads/u/text", b"hello", "text/plain")
    await bucket.put("uploads/voice/u/note", b"RIFF", "image/png")
    event = {
        "Records": [
            created("uploads/u/good"),
            created("uploads/u/jpeg"),
            created("uploads/u/b%2Bad+%C3%BC"),
            created("uploads/u/text"),
            created("uploads/voice/u/note"),
            created("uploads/u/never-there"),
        ]
    }
    for _ in range(2):
        assert function.invoke(event) is None
    assert await bucket.head("uploads/u/b+ad ü") is None
    for stored in ("uploads/u/good", "uploads/u/jpeg", "uploads/u/text", "uploads/voice/u/note"):
        assert await bucket.head(stored) is not None


def test_an_error_of_s3_repeats_the_event_after_all_objects_were_checked(function, monkeypatch):
    checked = []

    async def check_upload(key):
        checked.append(key)
        raise OSError("S3 is away")

    monkeypatch.setattr(function.handler._events, "_check_upload", check_upload)
    with pytest.raises(OSError, match="away"):
        function.invoke({"Records": [created("uploads/a"), created("uploads/b")]})
    assert checked == ["uploads/a", "uploads/b"]


@pytest.mark.parametrize("event", [{}, {"Records": []}, {"Records": [{"eventSource": "aws:sqs"}]}])
def test_an_event_of_an_unknown_kind_fails_and_becomes_a_dead_letter(function, event):
    with pytest.raises(Exception, match="an event of"):
        function.invoke(event)


async def test_two_hundred_events_leak_no_task_thread_file_or_object(cloud):
    events = [
        {"Records": [removal("ATT#a", partition="U#u")]},
        {"Records": [removal("THREAD#a", partition="U#u")]},
    ]
    assert await statuses_without_leaks("functions.events.handler", events) == [None, None]
