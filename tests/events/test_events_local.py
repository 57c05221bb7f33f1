"""`make dev` and `make lambda` deliver the events that AWS would deliver."""

import asyncio
import time

import pytest

from functions.aws.bucket import Bucket
from functions.events.events import Events
from functions.settings import get_settings
from functions.store import DynamoDBStore
from infra.local import events as local
from tests.assistants.sample.features import items
from tests.support.person import Person


@pytest.fixture
async def delivered(cloud, monkeypatch):
    monkeypatch.setattr(local, "PAUSE", 0.05)
    settings = get_settings()
    bucket = Bucket(settings.attachments_bucket)
    seen = []

    async def handle(event):
        seen.append(event)
        return await Events(DynamoDBStore(settings.table, bucket=bucket.name), bucket).handle(event)

    async with local.events_delivered(handle, table=settings.table, bucket=bucket.name):
        yield seen


async def eventually(condition):
    deadline = time.monotonic() + 10
    while not await condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_the_items_of_a_deleted_thread_are_removed(delivered):
    person = Person(None)
    thread = await person.thread()
    item = await person.shown(thread, items.card([]))
    store = DynamoDBStore(person.store.table.name, purge="stream")
    key = {"pk": {"S": f"U#{person.user.id}#T#{thread.id}"}, "sk": {"S": f"ITEM#{item.id}"}}
    assert await person.store.table.get(key)
    await store.delete_thread(thread.id, person.context)

    async def gone():
        return await person.store.table.get(key) is None

    await eventually(gone)


async def test_an_upload_of_another_type_than_announced_is_removed(delivered):
    bucket = Bucket(get_settings().attachments_bucket)
    await bucket.put("uploads/u/not an image", b"<html>", "image/png")

    async def gone():
        return await bucket.head("uploads/u/not an image") is None

    await eventually(gone)


async def test_a_record_that_always_fails_is_dropped_and_does_not_block_others(cloud, caplog):
    record = {"eventName": "REMOVE", "dynamodb": {"SequenceNumber": "7"}}
    tries = []

    async def handle(event):
        tries.append(len(event["Records"]))
        return {"batchItemFailures": [{"itemIdentifier": "7"}]}

    other = {"eventName": "REMOVE", "dynamodb": {"SequenceNumber": "8"}}
    await local._Pump(handle, "t", "b", documents=False)._deliver(handle, [other, record])
    assert tries == [2, 1, 1]
    assert "dead letters" in caplog.text


async def test_what_has_changed_is_delivered_to_a_second_reader(cloud, monkeypatch):
    monkeypatch.setattr(local, "PAUSE", 0.05)
    settings = get_settings()
    changed = []

    async def nothing(event):
        del event

    async def note(event):
        changed.extend(record["dynamodb"]["Keys"]["sk"]["S"] for record in event["Records"])

    names = {"table": settings.table, "bucket": settings.attachments_bucket}
    async with local.events_delivered(nothing, None, note, **names):
        person = Person(None)
        thread = await person.thread()
        await person.shown(thread, items.card([]))
        await person.store.delete_thread(thread.id, person.context)

        async def told():
            return "TOMBSTONE" in changed

        await eventually(told)
    assert not [sort for sort in changed if sort.startswith("ITEM#")]
