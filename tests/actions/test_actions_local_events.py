"""`make dev` hands the second function the events that AWS would."""

import asyncio
import time

import pytest

from functions.actions.events import Events
from functions.aws.bucket import Bucket
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

    async def take(event):
        seen.append(event)
        return await Events(DynamoDBStore(settings.table, bucket=bucket.name), bucket).take(event)

    async with local.events_delivered(take, table=settings.table, bucket=bucket.name):
        yield seen


async def eventually(condition):
    deadline = time.monotonic() + 10
    while not await condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_a_deleted_threads_items_go(delivered):
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


async def test_an_upload_that_is_not_what_it_says_goes(delivered):
    bucket = Bucket(get_settings().attachments_bucket)
    await bucket.put("uploads/u/not an image", b"<html>", "image/png")

    async def gone():
        return await bucket.head("uploads/u/not an image") is None

    await eventually(gone)


async def test_a_record_that_never_succeeds_is_given_up_and_holds_up_nobody(cloud, caplog):
    record = {"eventName": "REMOVE", "dynamodb": {"SequenceNumber": "7"}}
    tries = []

    async def take(event):
        tries.append(len(event["Records"]))
        return {"batchItemFailures": [{"itemIdentifier": "7"}]}

    other = {"eventName": "REMOVE", "dynamodb": {"SequenceNumber": "8"}}
    await local._Pump(take, "t", "b")._deliver([other, record])
    assert tries == [2, 1, 1]
    assert "dead letters" in caplog.text
