"""Attachment records: a file of a deleted or expired thread cannot be loaded."""

import logging
from contextlib import suppress

import pytest
from chatkit.store import NotFoundError
from chatkit.types import AttachmentUploadDescriptor, FileAttachment

from functions.aws.keys import owner
from functions.store import keys
from tests.store.every_store import every_store
from tests.store.samples import message, thread


def record(thread_id, attachment_id="f"):
    return FileAttachment(id=attachment_id, name="f", mime_type="text/plain", thread_id=thread_id)


@pytest.mark.parametrize("retention_days", [None, 30])
async def test_a_record_cannot_be_loaded_once_its_thread_is_deleted_even_before_the_purge(
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


async def test_a_record_cannot_be_loaded_once_ttl_has_removed_its_thread(backend, ada):
    """TTL leaves no tombstone, and the purge runs when the stream's event comes."""
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
async def test_an_export_contains_exactly_the_files_that_can_be_loaded(
    backend, ada, end, retention_days
):
    """Files of a deleted thread are in neither, even before its purge has finished."""
    store = backend.store(purge="stream", retention_days=retention_days)
    for thread_id in ("over", "living"):
        await store.save_thread(thread(thread_id), ada)
        await store.save_attachment(record(thread_id, thread_id), ada)
    await store.save_attachment(record(None, "unsent"), ada)
    before = backend.store()  # a store with a retention reads below what this one saves
    await before.save_attachment(record("never", "never"), ada)
    user = owner(ada)
    if end != "taken by TTL":
        await store.delete_thread("over", ada)
    if end != "deleted":  # TTL removes the tombstone, or the thread's row
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


async def test_the_thread_is_read_only_for_a_file_that_was_sent(store, ada, meter):
    await store.save_thread(thread(), ada)
    await store.save_attachment(record("thr_1", "sent"), ada)
    await store.save_attachment(record(None, "unsent"), ada)
    meter.clear()
    await store.load_attachment("unsent", ada)
    assert meter.requests == ["GetItem"]
    await store.load_attachment("sent", ada)
    assert meter.requests == ["GetItem", "GetItem", "BatchGetItem"]


@every_store
async def test_a_file_may_be_saved_and_loaded_before_its_thread_is_saved(store, ada):
    await store.save_attachment(record("later"), ada)
    assert await store.load_attachment("f", ada) == record("later")


@every_store
async def test_a_file_belongs_to_one_thread_and_goes_with_it(store, ada, bob):
    for thread_id in ("thr_1", "thr_2"):
        await store.save_thread(thread(thread_id), ada)
    await store.save_attachment(record("thr_1"), ada)
    with pytest.raises(NotFoundError):
        await store.save_attachment(record("thr_2"), ada)
    (await store.load_attachment("f", ada)).name = "changed, and not saved"
    assert await store.load_attachment("f", ada) == record("thr_1")
    for look in (lambda: store.load_attachment("f", bob), lambda: store.load_attachment("no", ada)):
        with pytest.raises(NotFoundError):
            await look()
    await store.delete_thread("thr_1", ada)
    with pytest.raises(NotFoundError):
        await store.load_attachment("f", ada)
    with pytest.raises(NotFoundError):
        await store.save_attachment(record("thr_1", "late"), ada)


@every_store
async def test_what_is_sent_has_no_upload_link_any_more(store, ada):
    upload = AttachmentUploadDescriptor(url="https://s3.example/x", method="PUT", headers={})
    made = record(None).model_copy(update={"upload_descriptor": upload})
    await store.save_thread(thread(), ada)
    await store.save_attachment(made, ada)
    assert (await store.load_attachment("f", ada)).upload_descriptor == upload
    sent = made.model_copy(update={"thread_id": "thr_1"})
    await store.save_attachment(sent, ada)
    await store.add_thread_item("thr_1", message("m", attachments=[made]), ada)
    assert sent.upload_descriptor is None
    assert await store.load_attachment("f", ada) == record("thr_1")
    assert (await store.load_item("thr_1", "m", ada)).attachments == [record(None)]


async def test_no_stored_message_contains_the_upload_link_of_its_file(backend, store, ada):
    """Also when the server names no thread. The record of a file to be uploaded keeps its link."""
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
