"""Deletion: nothing can be read at once, and in the end no row or object is left."""

import json
import logging
import time
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from chatkit.store import NotFoundError
from chatkit.types import (
    AttachmentCreateParams,
    FileAttachment,
    GeneratedImage,
    GeneratedImageItem,
    LockedStatus,
    Page,
)

from functions.attachments.schema import voice_prefix
from functions.aws.keys import owner
from functions.chat.own_items import own_item
from functions.limit_table import LimitTable
from functions.limits import Limits, Use
from functions.store import (
    Records,
    Run,
    Runs,
    keys,
)
from tests.store.samples import NOON, answer, at, message, run_record, thread

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
BIG = "".join(chr(0x4E00 + i * 7919 % 20000) for i in range(120_000))
"""A text that is over the limit for the table even when compressed."""

RETURNED = own_item("returned", "thr_1", NOON, {"calls": [{"output": "4711"}]})


async def upload(backend, store, context, name="cat.png"):
    """An attachment in the steps of the page: announced, saved, uploaded."""
    attachments = backend.attachments()
    made = await attachments.create_attachment(
        AttachmentCreateParams(name=name, size=len(PNG), mime_type="image/png"), context
    )
    await store.save_attachment(made, context)
    key = attachments.key(made, context)
    backend.s3.put_object(Bucket=backend.bucket, Key=key, Body=PNG, ContentType="image/png")
    return made


async def furnish(backend, store, context, thread_id="thr_1", items=30):
    """A thread with everything that can belong to one."""
    await store.save_thread(thread(thread_id), context)
    file = await store.load_attachment((await upload(backend, store, context)).id, context)
    file = file.model_copy(update={"thread_id": thread_id})
    await store.save_attachment(file, context)
    await store.add_thread_item(
        thread_id, message("with file", thread_id=thread_id, attachments=[file]), context
    )
    await store.add_thread_item(thread_id, answer("big", BIG, thread_id=thread_id), context)
    url = await backend.attachments().put_image(thread_id, "img", PNG, context)
    await store.add_thread_item(
        thread_id,
        GeneratedImageItem(
            id="image",
            thread_id=thread_id,
            created_at=NOON,
            image=GeneratedImage(id="img", url=url),
        ),
        context,
    )
    await store.add_thread_item(
        thread_id, RETURNED.model_copy(update={"thread_id": thread_id}), context
    )
    for n in range(items):
        await store.add_thread_item(
            thread_id, message(f"m{n}", thread_id=thread_id, created_at=at(n)), context
        )
    await store.save_feedback(thread_id, ["big"], "positive", context)
    await store.delete_thread_item(thread_id, "m0", context)
    return file


def left(backend, *, tombstones=False):
    return [
        (row["pk"]["S"], row["sk"]["S"])
        for row in backend.rows()
        if tombstones or row["sk"]["S"] != keys.TOMBSTONE
    ]


def unsent(backend):
    return [key for key in backend.objects() if not key.startswith("uploads/")]


def gone(backend, thread_id, context):
    """A stream record for the removal of a thread's row."""
    key = keys.thread_key(owner(context), thread_id)
    return {
        "eventName": "REMOVE",
        "dynamodb": {"Keys": key, "OldImage": key, "SequenceNumber": "42"},
    }


async def test_a_deleted_thread_leaves_nothing_behind(backend, store, ada, bob):
    await furnish(backend, store, ada)
    await furnish(backend, store, bob)
    await store.save_thread(thread("other"), ada)
    others = [row for row in left(backend) if "bob" in row[0] or "other" in row[0] + row[1]]
    assert len([row for row in others if "other" in row[0] + row[1]]) == 2  # the row and its head
    await store.delete_thread("thr_1", ada)
    assert sorted(left(backend)) == sorted(others)
    # bob's file, his body in S3 and his image still exist
    assert len(unsent(backend)) == 3
    assert len((await store.load_thread_items("thr_1", None, 99, "asc", bob)).data) == 33


async def test_a_deleted_thread_cannot_be_read_while_its_rows_still_exist(backend, ada):
    store = backend.store(purge="stream")
    file = await furnish(backend, store, ada, items=3)
    await store.delete_thread("thr_1", ada)
    assert len(left(backend)) > 3
    assert await store.load_thread_items("thr_1", None, 9, "asc", ada) == Page()
    assert (await store.load_threads(9, None, "desc", ada)).data == []
    for look in (
        store.load_thread("thr_1", ada),
        store.load_item("thr_1", "m1", ada),
        store.read_turn("thr_1", 9, ada),
        store.open_turn("thr_1", 9, ada),
        store.save_feedback("thr_1", ["m1"], "positive", ada),
    ):
        with pytest.raises(NotFoundError):
            await look
    assert file.id


async def test_the_tables_stream_finishes_a_deletion(backend, ada):
    store = backend.store(purge="stream")
    await furnish(backend, store, ada)
    await store.delete_thread("thr_1", ada)
    assert await store.purge_deleted(backend.stream()) == []
    assert left(backend) == []
    assert backend.objects() == []
    assert await store.purge_deleted(backend.stream()) == []


async def test_a_retry_finishes_a_purge_that_failed_half_way(backend, ada, monkeypatch, caplog):
    store = backend.store(purge="stream")
    await furnish(backend, store, ada)
    await store.delete_thread("thr_1", ada)
    broken = ClientError({"Error": {"Code": "SlowDown"}}, "DeleteObjects")

    async def fail(*_):
        raise broken

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(store.bucket, "delete", fail)
        records = [gone(backend, "thr_1", ada)]
        assert await store.purge_deleted(records) == ["42"]
    assert await store.purge_deleted(records) == []
    assert left(backend) == []
    assert backend.objects() == []


async def test_a_purge_removes_nothing_when_the_threads_id_is_in_use_again(backend, ada):
    store = backend.store(purge="stream")
    await furnish(backend, store, ada, items=3)
    await store.delete_thread("thr_1", ada)
    record = gone(backend, "thr_1", ada)
    again = backend.store(purge="stream")
    await again.save_thread(thread(title="again"), ada)
    assert await again.load_thread_items("thr_1", None, 9, "asc", ada) == Page()
    await again.add_thread_item("thr_1", message("new"), ada)
    assert await store.purge_deleted([record]) == []
    assert [m.id for m in (await again.load_thread_items("thr_1", None, 9, "asc", ada)).data] == [
        "new"
    ]


@pytest.mark.parametrize("purge", ["now", "stream"])
async def test_an_answer_that_is_still_streaming_does_not_recreate_a_deleted_thread(
    backend, ada, purge
):
    store = backend.store(purge=purge)
    await store.save_thread(thread(), ada)
    await store.begin_run(Run("r", "thr_1", time.time() + 60), ada, item=message("q"))
    answering = await store.load_thread("thr_1", ada)
    await backend.store(purge=purge).delete_thread("thr_1", ada)
    rows = left(backend, tombstones=True)
    answering.title = "late"
    answering.status = LockedStatus()
    for write in (
        lambda: store.add_thread_item("thr_1", answer("a"), ada),
        lambda: store.save_item("thr_1", answer("big", BIG), ada),
        lambda: store.save_thread(answering, ada),
        lambda: store.begin_run(Run("r2", "thr_1", time.time() + 60), ada, item=message("q")),
        lambda: store.begin_run(Run("r3", "thr_1", 9e9), ada),
    ):
        with pytest.raises(NotFoundError):
            await write()
    await store.delete_thread_item("thr_1", "a", ada)
    await Runs(store.table).finish("r", "thr_1", ada, "done")
    assert left(backend, tombstones=True) == rows
    with pytest.raises(NotFoundError):
        await store.load_thread("thr_1", ada)


async def test_objects_that_a_run_wrote_after_the_deletion_are_removed_with_the_tombstone(
    backend, ada
):
    store = backend.store()
    await store.save_thread(thread(), ada)
    await store.delete_thread("thr_1", ada)
    # The body is in S3, and the run crashes before its write fails.
    await store._items.write("thr_1", answer("big", BIG), owner(ada))
    assert len(backend.objects()) == 1
    key = keys.tombstone_key(owner(ada), "thr_1")
    backend.dynamodb.delete_item(TableName=backend.table, Key=key)
    records = [r for r in backend.stream() if r["dynamodb"]["Keys"] == key]
    assert await store.purge_deleted(records) == []
    assert backend.objects() == []


async def test_deleting_a_thread_keeps_a_file_that_belongs_to_another_thread_now(
    backend, store, ada
):
    """The record was deleted and saved in another thread; the first thread's link row stays."""
    file = await furnish(backend, store, ada, items=2)
    await store.save_thread(thread("thr_2"), ada)
    await store.delete_attachment(file.id, ada)
    await store.save_attachment(file.model_copy(update={"thread_id": "thr_2"}), ada)
    await store.delete_thread("thr_1", ada)
    assert (await store.load_attachment(file.id, ada)).thread_id == "thr_2"
    assert await backend.attachments().read(file, ada) == PNG


@pytest.mark.parametrize("purge", ["now", "stream"])
async def test_a_file_that_was_sent_in_one_thread_cannot_be_sent_in_another(backend, ada, purge):
    store = backend.store(purge=purge)
    file = await furnish(backend, store, ada, items=2)
    await store.save_thread(thread("thr_2"), ada)
    before = backend.rows(), backend.objects()
    with pytest.raises(NotFoundError, match="in another thread"):
        await store.save_attachment(file.model_copy(update={"thread_id": "thr_2"}), ada)
    assert (backend.rows(), backend.objects()) == before
    await store.save_attachment(file, ada)  # it may be sent in its own thread again
    await store.delete_thread("thr_2", ada)
    await store.purge_deleted(backend.stream())
    assert (await store.load_attachment(file.id, ada)).thread_id == "thr_1"
    assert await backend.attachments().read(file, ada) == PNG


async def test_stream_records_of_other_rows_are_ignored(backend, store, ada):
    await furnish(backend, store, ada, items=3)
    before = left(backend), backend.objects()
    assert await store.purge_deleted(backend.stream()) == []
    assert (left(backend), backend.objects()) == before


async def test_everything_of_a_user_is_exported_and_deleted(backend, store, ada, bob):
    for thread_id in ("thr_1", "thr_2"):
        await furnish(backend, store, ada, thread_id, items=3)
    await furnish(backend, store, bob, items=3)
    await Records(store.table).put("todo", {"a": [1]}, ada, version=0)
    await Records(store.table).of_thread("thr_1").put("cat", {"b": 2}, ada, version=0)
    table = LimitTable.model_validate({"person": {"messages_per_day": 9}})
    limits = Limits(table, store.table)
    for context in (ada, bob):
        await store.begin_run(Run("r", "thr_1", time.time() + 60), context)
        await Runs(store.table).finish("r", "thr_1", context, "completed")
        await limits.spend(context, Use(messages=1))
    kinds = {pk[:2] + sk.partition("#")[0] for pk, sk in left(backend) if "bob" not in pk}
    assert kinds - {"Q#COUNTERS"} == {
        f"U#{kind}" for kind in ("THREAD", "HEAD", "ITEM", "ATT", "FB", "REC", "RUN")
    }
    assert len(kinds) == 8
    kept = [row for row in left(backend) if "bob" in row[0] or row[0].startswith("Q#")]
    await Runs(store.table).keep_record(run_record(), ada)
    files = len(unsent(backend))
    exported = [entry async for entry in store.export_user(ada.user_id)]
    kinds = [entry["type"] for entry in exported]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "thread": 2,
        "item": 2 * 6,
        "feedback": 2,
        "attachment": 2,
        "record": 2,
        "run": 1,
        "counters": 1,
    }
    assert [e["run"]["run_id"] for e in exported if e["type"] == "run"] == ["r"]
    (counters,) = (e["numbers"] for e in exported if e["type"] == "counters")
    assert list(counters.values()) == [1]
    contents = [e["item"]["content"] for e in exported if e.get("item", {}).get("content")]
    assert BIG in [each[0]["text"] for each in contents if isinstance(each, list)]
    assert [each for each in contents if "4711" in str(each)] == [RETURNED.content] * 2
    records = [(e.get("thread_id"), e["value"]) for e in exported if e["type"] == "record"]
    assert records == [("thr_1", {"b": 2}), (None, {"a": [1]})]
    assert {(e["thread_id"], e["item_id"], e["kind"]) for e in exported if "at" in e} == {
        ("thr_1", "big", "positive"),
        ("thr_2", "big", "positive"),
    }
    for entry in exported:
        json.dumps(entry)
        if entry["type"] == "attachment":
            key = urlsplit(entry["url"]).path.lstrip("/")
            stored = backend.s3.get_object(Bucket=backend.bucket, Key=key)["Body"].read()
            assert (entry["attachment"]["name"], stored) == ("cat.png", PNG)
    await store.delete_user(ada.user_id)
    assert left(backend) == kept  # her counters too, or deleting oneself would reset limits
    assert len(unsent(backend)) == files / 3
    after = [entry["type"] async for entry in store.export_user(ada.user_id)]
    assert after == ["counters"]
    await store.delete_user(ada.user_id)
    with pytest.raises(ValueError, match="user_id"):
        await store.delete_user("")


async def test_a_users_recordings_are_exported_and_deleted(backend, store, ada, bob):
    """Whatever characters the user's id has."""
    recordings = [f"{voice_prefix(owner(context))}recording" for context in (ada, bob)]
    for key in recordings:
        backend.s3.put_object(Bucket=backend.bucket, Key=key, Body=b"speech")
    (entry,) = [entry async for entry in store.export_user(ada.user_id)]
    assert entry["type"] == "recording"
    assert recordings[0] in entry["url"]
    await store.delete_user(ada.user_id)
    assert backend.objects() == recordings[1:]


async def test_deleting_a_user_removes_files_of_threads_that_were_never_saved(backend, store, ada):
    made = FileAttachment(id="f", name="f", mime_type="text/plain", thread_id="never")
    await store.save_attachment(made, ada)
    await store.delete_user(ada.user_id)
    assert backend.rows() == []


async def test_a_file_cannot_be_put_into_a_deleted_thread(backend, store, ada):
    await store.save_thread(thread("thr_1"), ada)
    made = await upload(backend, store, ada)
    await store.delete_thread("thr_1", ada)
    with pytest.raises(NotFoundError):
        await store.save_attachment(made.model_copy(update={"thread_id": "thr_1"}), ada)


async def test_a_deletion_that_failed_half_way_is_finished_by_calling_it_again(
    backend, store, ada, monkeypatch
):
    await furnish(backend, store, ada, items=3)

    def fails(**_):
        raise ClientError({"Error": {"Code": "InternalServerError"}}, "BatchWriteItem")

    with monkeypatch.context() as broken:
        broken.setattr(backend.dynamodb, "batch_write_item", fails)
        with pytest.raises(ClientError):
            await store.delete_thread("thr_1", ada)
    await store.delete_thread("thr_1", ada)
    assert [row["sk"]["S"] for row in backend.rows()] == ["TOMBSTONE"]
