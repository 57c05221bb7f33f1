"""Retention: a thread is removed whole, a number of days after its last activity."""

import time

import pytest
from chatkit.store import NotFoundError
from chatkit.types import AttachmentCreateParams, FileAttachment, Page

from functions.aws.keys import owner
from functions.store import Run, keys
from functions.store.schema import STREAM_FILTERS
from tests.store.samples import answer, at, message, thread
from tests.store.test_store_deletion import BIG, furnish, left

DAY = 24 * 3600


@pytest.fixture
def store(backend):
    return backend.store(retention_days=30, purge="stream")


def age(backend, context, thread_id, days):
    """Let a number of days pass for a thread with an expiry."""
    backend.dynamodb.update_item(
        TableName=backend.table,
        Key=keys.thread_key(owner(context), thread_id),
        UpdateExpression="SET expires = expires - :passed",
        ExpressionAttributeValues={":passed": {"N": str(days * DAY)}},
    )


def expires(backend, context, thread_id="thr_1"):
    """The days until a thread expires; `None` for never."""
    key = keys.thread_key(owner(context), thread_id)
    row = backend.dynamodb.get_item(TableName=backend.table, Key=key)["Item"]
    if "expires" not in row:
        return None
    return round((int(row["expires"]["N"]) - time.time()) / DAY, 2)


def ttl(backend, context, thread_id):
    """Remove a thread's row as TTL does; returns the stream's record of it."""
    key = keys.thread_key(owner(context), thread_id)
    backend.dynamodb.delete_item(TableName=backend.table, Key=key)
    (record,) = [
        record
        for record in backend.stream()
        if record["eventName"] == "REMOVE" and record["dynamodb"]["Keys"] == key
    ]
    return {
        **record,
        "userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"},
    }


async def test_nothing_expires_before_its_thread(backend, store, ada):
    await furnish(backend, store, ada, items=5)
    expiring = {row["sk"]["S"] for row in backend.rows() if "expires" in row}
    # The thread itself, and the position of the deleted item.
    assert expiring == {"THREAD#thr_1", "ITEM#m0"}
    page = await store.load_thread_items("thr_1", None, 99, "asc", ada)
    age(backend, ada, "thr_1", 29)
    assert (await store.load_thread_items("thr_1", None, 99, "asc", ada)) != Page()
    assert [i.id for i in (await store.load_thread_items("thr_1", None, 99, "asc", ada)).data] == [
        item.id for item in page.data
    ]


@pytest.mark.parametrize(
    "write",
    [
        lambda store, ada: store.add_thread_item("thr_1", message("m9", created_at=at(-9e6)), ada),
        lambda store, ada: store.save_item("thr_1", message("m1", "changed"), ada),
        lambda store, ada: store.begin_run(
            Run("r", "thr_1", time.time() + 60), ada, item=message("q")
        ),
    ],
    ids=["new item", "changed item", "new turn"],
)
async def test_activity_in_a_thread_starts_its_retention_again(backend, store, ada, write):
    await store.save_thread(thread(), ada)
    for n in range(3):
        await store.add_thread_item("thr_1", message(f"m{n}", created_at=at(n)), ada)
    age(backend, ada, "thr_1", 29)
    assert expires(backend, ada) == 1
    await write(store, ada)
    assert expires(backend, ada) == 30
    age(backend, ada, "thr_1", 29)
    ids = {i.id for i in (await store.load_thread_items("thr_1", None, 9, "asc", ada)).data}
    assert {"m0", "m1", "m2"} <= ids


async def test_renaming_a_thread_does_not_count_as_activity(backend, store, ada):
    await store.save_thread(thread(), ada)
    age(backend, ada, "thr_1", 10)
    found = await store.load_thread("thr_1", ada)
    found.title = "Renamed"
    await store.save_thread(found, ada)
    await store.save_thread(thread(title="whole"), ada)
    assert expires(backend, ada) == 20


async def test_an_expired_thread_cannot_be_read_before_ttl_removes_it(backend, store, ada):
    await furnish(backend, store, ada, items=3)
    await store.save_thread(thread("new"), ada)
    (file,) = [
        row["sk"]["S"].removeprefix("ATT#")
        for row in backend.rows()
        if row["sk"]["S"].startswith("ATT#") and "body" in row
    ]
    assert (await store.load_attachment(file, ada)).id == file
    loaded = await store.load_thread("thr_1", ada)
    age(backend, ada, "thr_1", 31)
    before = backend.rows()
    assert [t.id for t in (await store.load_threads(9, None, "desc", ada)).data] == ["new"]
    for after in (None, "m1"):
        assert await store.load_thread_items("thr_1", after, 9, "asc", ada) == Page()
    assert await store.load_feedback("thr_1", ada) == []
    exported = [entry async for entry in store.export_user(ada.user_id)]
    assert {entry.get("thread_id") for entry in exported} == {None}
    loaded.title = "late"
    for look in (
        lambda: store.load_thread("thr_1", ada),
        lambda: store.load_item("thr_1", "m1", ada),
        lambda: store.load_attachment(file, ada),
        lambda: store.read_turn("thr_1", 9, ada),
        lambda: store.open_turn("thr_1", 9, ada),
        lambda: store.save_feedback("thr_1", ["m1"], "positive", ada),
        lambda: store.add_thread_item("thr_1", message("late"), ada),
        lambda: store.save_thread(loaded, ada),
        lambda: store.begin_run(Run("r", "thr_1", time.time() + 60), ada, item=message("q")),
        lambda: store.save_attachment(
            FileAttachment(id="late", name="a", mime_type="text/plain", thread_id="thr_1"), ada
        ),
    ):
        with pytest.raises(NotFoundError):
            await look()
    after = backend.rows()
    assert [row for row in after if row not in before] == []
    gone = [row["sk"] for row in before if row not in after]
    # DynamoDB Local's own TTL may remove the expired row meanwhile, and no other.
    own = keys.thread_key(owner(ada), "thr_1")["sk"]
    assert gone == [] or (backend.engine, gone) == ("dynamodb-local", [own])


@pytest.mark.parametrize("again", [False, True])
async def test_a_thread_that_has_expired_stays_so_when_the_retention_is_turned_off(
    backend, store, ada, again
):
    """For every method, and also when the thread was written whole meanwhile."""
    await store.save_thread(thread(), ada)
    await store.add_thread_item("thr_1", message("m"), ada)
    forever = backend.store()
    if again:
        await forever.save_thread(thread(title="whole"), ada)
    assert (await forever.load_thread("thr_1", ada)).id == "thr_1"
    age(backend, ada, "thr_1", 31)
    run = Run("r", "thr_1", time.time() + 60)
    for look in (
        lambda: forever.load_thread("thr_1", ada),
        lambda: forever.load_item("thr_1", "m", ada),
        lambda: forever.read_turn("thr_1", 9, ada),
        lambda: forever.begin_run(run, ada, item=message("late")),
    ):
        with pytest.raises(NotFoundError):
            await look()


@pytest.mark.parametrize("before", [None, 30])
async def test_a_turn_costs_no_extra_request_without_a_retention(backend, ada, meter, before):
    await backend.store(retention_days=before).save_thread(thread(), ada)
    meter.clear()
    await backend.store().open_turn("thr_1", 9, ada)
    assert meter.requests == ["Query"]


async def test_when_ttl_removes_a_thread_the_stream_removes_everything_of_it(
    backend, store, ada, bob
):
    await furnish(backend, store, ada)
    await furnish(backend, store, bob, items=1)
    others = [row for row in left(backend) if "bob" in row[0]]
    age(backend, ada, "thr_1", 31)
    record = ttl(backend, ada, "thr_1")
    assert any(lets_through(pattern, record) for pattern in STREAM_FILTERS)
    for _ in range(2):
        assert await store.purge_deleted([record]) == []
    assert sorted(left(backend)) == sorted(others)
    # bob's file, body and image; the bucket's lifecycle rule removes uploads
    assert len([key for key in backend.objects() if not key.startswith("uploads/")]) == 3


def lets_through(pattern, value):
    """Whether a Lambda event filter matches: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html"""
    if isinstance(pattern, dict):
        return all(lets_through(below, value.get(name)) for name, below in pattern.items())
    return any(
        value == each
        if isinstance(each, str)
        else (
            str(value).startswith(each["prefix"])
            if "prefix" in each
            else each["exists"] == (value is not None)
        )
        for each in pattern
    )


@pytest.mark.parametrize("taken", [False, True], ids=["TTL is slow", "TTL took it"])
async def test_the_id_of_an_expired_thread_can_be_used_again(backend, store, ada, taken):
    await furnish(backend, store, ada, items=3)
    age(backend, ada, "thr_1", 31)
    record = ttl(backend, ada, "thr_1") if taken else None
    await backend.store(retention_days=30, purge="stream").save_thread(thread(title="again"), ada)
    assert {sort for _, sort in left(backend)} == {"THREAD#thr_1", "HEAD"}
    assert [key for key in backend.objects() if not key.startswith("uploads/")] == []
    if record is not None:  # the event comes too late
        assert await store.purge_deleted([record]) == []
    assert await store.load_thread_items("thr_1", None, 9, "asc", ada) == Page()
    assert await store.load_feedback("thr_1", ada) == []
    assert (await store.open_turn("thr_1", 9, ada))[0].title == "again"
    assert (await store.load_thread("thr_1", ada)).title == "again"
    assert expires(backend, ada) == 30
    await store.add_thread_item("thr_1", answer("a"), ada)
    assert (await store.load_item("thr_1", "a", ada)).id == "a"


async def test_after_the_retention_is_turned_off_a_thread_loses_its_expiry_at_its_next_activity(
    backend, store, ada
):
    for thread_id in ("used", "unused"):
        await store.save_thread(thread(thread_id), ada)
        await store.add_thread_item(thread_id, message("m", thread_id=thread_id), ada)
    forever = backend.store()
    await forever.add_thread_item("used", message("n", thread_id="used"), ada)
    assert expires(backend, ada, "used") is None
    # TTL would remove the other thread in any case, so its expiry counts.
    assert expires(backend, ada, "unused") == 30
    age(backend, ada, "unused", 31)
    assert [t.id for t in (await forever.load_threads(9, None, "desc", ada)).data] == ["used"]


async def test_after_the_retention_is_turned_on_a_thread_gets_an_expiry_at_its_next_activity(
    backend, store, ada
):
    await backend.store().save_thread(thread(), ada)
    assert expires(backend, ada) is None
    await store.add_thread_item("thr_1", answer("a", BIG), ada)
    assert expires(backend, ada) == 30


async def test_the_record_of_an_unsent_upload_expires_when_its_bytes_do(backend, ada):
    store, files = backend.store(), backend.attachments()
    made = await files.create_attachment(
        AttachmentCreateParams(name="a.txt", size=5, mime_type="text/plain"), ada
    )
    await store.save_attachment(made, ada)
    (row,) = backend.rows()
    assert round((int(row["expires"]["N"]) - time.time()) / DAY) == 2
    backend.s3.put_object(Bucket=backend.bucket, Key=files.key(made, ada), Body=b"hello")
    await store.save_attachment(made.model_copy(update={"thread_id": "thr_1"}), ada)
    assert [row for row in backend.rows() if "expires" in row] == []


async def test_the_record_of_another_stores_upload_does_not_expire(backend, store, ada):
    made = FileAttachment(id="theirs", name="a", mime_type="text/plain")
    await store.save_attachment(made, ada)
    assert [row for row in backend.rows() if "expires" in row] == []


async def test_an_export_contains_no_file_of_an_expired_thread(backend, store, ada):
    await furnish(backend, store, ada)
    before = [entry["type"] async for entry in store.export_user(ada.user_id)]
    assert "attachment" in before
    age(backend, ada, "thr_1", 31)
    after = [entry async for entry in store.export_user(ada.user_id)]
    threads = {entry.get("attachment", {}).get("thread_id") for entry in after}
    assert "thr_1" not in threads
