"""Attachment records: whose thread is over is not found, and what that costs to know."""

import logging
from contextlib import suppress

import pytest
from chatkit.store import NotFoundError
from chatkit.types import AttachmentUploadDescriptor, FileAttachment

from functions.aws.keys import owner
from functions.store import keys
from tests.store.samples import message, thread


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
    key = keys.thread_key(owner(ada), "thr_1")
    backend.dynamodb.delete_item(TableName=backend.table, Key=key)
    with pytest.raises(NotFoundError):
        await store.load_attachment("f", ada)
    with pytest.raises(NotFoundError):
        await store.save_attachment(record("thr_1", "late"), ada)


async def exported(store, context):
    entries = [entry async for entry in store.export_user(context.user_id)]
    return {each["attachment"]["id"] for each in entries if each["type"] == "attachment"}


async def loadable(store, ids, context):
    found = set()
    for attachment_id in ids:
        with suppress(NotFoundError):
            found.add((await store.load_attachment(attachment_id, context)).id)
    return found


@pytest.mark.parametrize("retention_days", [None, 30])
@pytest.mark.parametrize("end", ["deleted", "deleted days ago", "taken by TTL"])
async def test_an_export_has_the_very_files_that_can_be_loaded(backend, ada, end, retention_days):
    """Those of a thread that is gone are in neither, though its purge is not done."""
    store = backend.store(purge="stream", retention_days=retention_days)
    for thread_id in ("over", "living"):
        await store.save_thread(thread(thread_id), ada)
        await store.save_attachment(record(thread_id, thread_id), ada)
    await store.save_attachment(record(None, "unsent"), ada)
    before = backend.store()  # what it saves, a store with a retention may have to read
    await before.save_attachment(record("never", "never"), ada)
    user = owner(ada)
    if end != "taken by TTL":
        await store.delete_thread("over", ada)
    if end != "deleted":  # TTL takes the tombstone, or the thread's row
        place = keys.thread_key if end == "taken by TTL" else keys.tombstone_key
        backend.dynamodb.delete_item(TableName=backend.table, Key=place(user, "over"))
    found = await exported(store, ada)
    assert found == await loadable(store, ["over", "living", "unsent", "never"], ada)
    assert {"living", "unsent"} <= found
    if end != "taken by TTL" or retention_days:
        assert "over" not in found
    assert ("never" in found) == (retention_days is None)


async def test_a_record_that_only_a_newer_version_can_read_is_not_found_and_not_exported(
    backend, store, ada, caplog
):
    await store.save_thread(thread(), ada)
    for attachment_id in ("newer", "known"):
        await store.save_attachment(record("thr_1", attachment_id), ada)
    backend.dynamodb.update_item(
        TableName=backend.table,
        Key=keys.attachment_key(owner(ada), "newer"),
        UpdateExpression="SET body = :body",
        ExpressionAttributeValues={":body": {"S": '{"type":"hologram","name":"secret"}'}},
    )
    for look in (loadable(store, ["newer", "known"], ada), exported(store, ada)):
        with caplog.at_level(logging.WARNING):
            assert await look == {"known"}
        assert "cannot read" in caplog.text
        assert "secret" not in caplog.text
        caplog.clear()


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


async def test_no_message_keeps_the_link_that_its_file_was_uploaded_with(backend, store, ada):
    """Also of a server that says no thread; the record of an upload to come keeps it."""
    upload = AttachmentUploadDescriptor(url="https://s3.example/secret", method="PUT", headers={})
    made = record(None).model_copy(update={"upload_descriptor": upload})
    await store.save_thread(thread(), ada)
    await store.save_attachment(made, ada)
    await store.add_thread_item("thr_1", message("m", attachments=[made]), ada)
    assert (await store.load_item("thr_1", "m", ada)).attachments == [record(None)]
    assert (await store.load_attachment("f", ada)).upload_descriptor == upload
    links = [row["sk"]["S"] for row in backend.rows() if "secret" in str(row)]
    assert links == ["ATT#f"]
    assert made.upload_descriptor == upload
