"""Attachment records: whose thread is over is not found, and what that costs to know."""

import pytest
from chatkit.store import NotFoundError
from chatkit.types import FileAttachment

from functions.store import keys
from tests.integration.store.samples import thread


def record(thread_id, attachment_id="f"):
    return FileAttachment(id=attachment_id, name="f", mime_type="text/plain", thread_id=thread_id)


@pytest.mark.parametrize("retention_days", [None, 30])
async def test_the_record_of_a_file_is_gone_when_its_thread_is_though_the_purge_is_not_done(
    backend, ada, retention_days
):
    store = backend.store(purge="stream", retention_days=retention_days)
    for thread_id in ("thr_1", "thr_2"):
        await store.save_thread(thread(thread_id), ada)
        await store.save_attachment(record(thread_id, thread_id), ada)
    await store.delete_thread("thr_1", ada)
    with pytest.raises(NotFoundError):
        await store.load_attachment("thr_1", ada)
    assert await store.load_attachment("thr_2", ada) == record("thr_2", "thr_2")
    with pytest.raises(NotFoundError):
        await store.save_attachment(record("thr_1", "late"), ada)


async def test_the_record_of_a_file_is_gone_when_ttl_took_its_thread(backend, ada):
    """Which leaves no tombstone; the purge comes with the stream."""
    store = backend.store(retention_days=30, purge="stream")
    await store.save_thread(thread(), ada)
    await store.save_attachment(record("thr_1"), ada)
    key = keys.thread_key(keys.owner(ada), "thr_1")
    backend.dynamodb.delete_item(TableName=backend.table, Key=key)
    with pytest.raises(NotFoundError):
        await store.load_attachment("f", ada)
    with pytest.raises(NotFoundError):
        await store.save_attachment(record("thr_1", "late"), ada)


async def test_the_thread_is_looked_at_only_for_a_file_that_was_sent(store, ada, meter):
    await store.save_thread(thread(), ada)
    await store.save_attachment(record("thr_1", "sent"), ada)
    await store.save_attachment(record(None, "unsent"), ada)
    meter.clear()
    await store.load_attachment("unsent", ada)
    assert meter.requests == ["GetItem"]
    await store.load_attachment("sent", ada)
    assert meter.requests == ["GetItem", "GetItem", "BatchGetItem"]


async def test_a_file_may_be_saved_and_loaded_before_its_thread_is(store, ada):
    await store.save_attachment(record("later"), ada)
    assert await store.load_attachment("f", ada) == record("later")
