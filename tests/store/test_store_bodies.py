"""Bodies in S3: a write removes the body that it replaces, and pages leave out unreadable items."""

import asyncio
import logging

import pytest
from botocore.exceptions import ClientError
from chatkit.store import NotFoundError
from chatkit.types import AssistantMessageItem

from functions.aws.keys import owner
from functions.store import Conflict, keys
from functions.store.bodies import NoBucketError, TooLargeError
from functions.store.purge import Purge
from tests.store.samples import answer, at, message, thread
from tests.store.test_store_sizes import KB, noise

BIG = noise(300 * KB)


@pytest.fixture
async def store(backend, ada):
    """A store with no stream, so that no purge removes what it leaves."""
    made = backend.store(purge="stream")
    await made.save_thread(thread(), ada)
    return made


def pointed_at(backend):
    return sorted(row["spill"]["S"] for row in backend.rows() if "spill" in row)


@pytest.fixture
def log(backend):
    """The requests to S3 and DynamoDB, in order."""
    asked = []

    def note(model, **_):
        asked.append(model.name)

    for client in (backend.s3, backend.dynamodb):
        client.meta.events.register("before-call", note)
    yield asked
    for client in (backend.s3, backend.dynamodb):
        client.meta.events.unregister("before-call", note)


@pytest.mark.parametrize("method", ["add_thread_item", "save_item"])
async def test_the_write_that_replaces_a_body_removes_the_old_one(backend, store, ada, method):
    """That needs no stream, no second function and no sweep."""
    for text in (BIG, BIG + "!", BIG + "!", BIG):
        await getattr(store, method)("thr_1", answer("a", text), ada)
        assert backend.objects() == pointed_at(backend)
        assert (await backend.store().load_item("thr_1", "a", ada)).content[0].text == text
    await getattr(store, method)("thr_1", answer("a", "small"), ada)
    assert backend.objects() == []
    assert (await store.load_item("thr_1", "a", ada)).content[0].text == "small"


async def test_deleting_an_item_removes_its_body_at_once(backend, store, ada):
    await store.add_thread_item("thr_1", answer("a", BIG), ada)
    await store.add_thread_item("thr_1", answer("b", BIG), ada)
    await store.delete_thread_item("thr_1", "a", ada)
    assert backend.objects() == pointed_at(backend)
    assert len(backend.objects()) == 1
    await store.delete_thread_item("thr_1", "a", ada)
    assert (await store.load_item("thr_1", "b", ada)).content[0].text == BIG


async def test_an_item_and_its_feedback_are_deleted_in_one_request(backend, store, ada, log):
    for item_id, text in (("a", "small"), ("big", BIG)):
        await store.add_thread_item("thr_1", answer(item_id, text), ada)
    await store.save_feedback("thr_1", ["a", "big"], "positive", ada)
    log.clear()
    await store.delete_thread_item("thr_1", "a", ada)
    assert log == ["TransactWriteItems"]
    log.clear()
    await store.delete_thread_item("thr_1", "big", ada)
    assert log == ["TransactWriteItems", "TransactWriteItems", "DeleteObjects"]
    assert await store.load_feedback("thr_1", ada) == []
    assert backend.objects() == []


async def test_deleting_an_item_is_all_or_nothing_whichever_request_fails(backend, store, ada, log):
    """Only an object may be left, which the table's stream or a sweep removes."""
    for item in (answer("a", BIG), answer("b", "hi")):
        await store.add_thread_item("thr_1", item, ada)
    await store.save_feedback("thr_1", ["a", "b"], "positive", ada)
    before, doomed = backend.rows(), 0

    def fail(model, **_):
        if len(log) == doomed:
            raise ClientError({"Error": {"Code": "InternalServerError"}}, model.name)

    events = backend.dynamodb.meta.events
    events.register("before-call", fail)
    for request in (1, 2):
        doomed = len(log) + request
        with pytest.raises(ClientError):
            await store.delete_thread_item("thr_1", "a", ada)
        assert backend.rows() == before
    events.unregister("before-call", fail)
    await store.delete_thread_item("thr_1", "a", ada)
    assert [mark.item_id for mark in await store.load_feedback("thr_1", ada)] == ["b"]
    assert [i.id for i in (await store.load_thread_items("thr_1", None, 9, "asc", ada)).data] == [
        "b"
    ]


async def test_deleting_an_item_also_removes_a_body_that_replaced_its_own_meanwhile(
    backend, store, ada, monkeypatch
):
    await store.add_thread_item("thr_1", answer("a", BIG), ada)
    transact, seen = store.table.transact, []

    async def replaced_first(actions):
        seen.append(actions)
        if len(seen) == 2:
            await backend.store().save_item("thr_1", answer("a", BIG + "!"), ada)
        await transact(actions)

    monkeypatch.setattr(store.table, "transact", replaced_first)
    await store.delete_thread_item("thr_1", "a", ada)
    assert len(seen) == 3
    assert backend.objects() == []


async def test_the_new_body_is_written_first_then_the_pointer_and_then_the_old_body_is_removed(
    store, ada, log
):
    await store.add_thread_item("thr_1", answer("a", BIG), ada)
    log.clear()
    await store.save_item("thr_1", answer("a", BIG + "!"), ada)
    assert log[0] == "PutObject"
    assert log[-1] == "DeleteObjects"
    assert set(log[1:-1]) == {"TransactWriteItems"}


async def test_saving_an_item_that_replaces_no_body_in_s3_costs_one_transaction(store, ada, log):
    for text in ("one", "two"):
        log.clear()
        await store.save_item("thr_1", answer("a", text), ada)
        assert log == ["TransactWriteItems"]
    log.clear()
    await store.add_thread_item("thr_1", answer("a", BIG), ada)
    assert log == ["PutObject", "TransactWriteItems"]


async def test_a_write_succeeds_even_if_the_old_body_cannot_be_removed(
    backend, store, ada, monkeypatch, caplog
):
    await store.add_thread_item("thr_1", answer("a", BIG), ada)

    async def fail(*_):
        raise ClientError({"Error": {"Code": "SlowDown"}}, "DeleteObjects")

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(store.bucket, "delete", fail)
        await store.save_item("thr_1", answer("a", BIG + "!"), ada)
    assert (await store.load_item("thr_1", "a", ada)).content[0].text == BIG + "!"
    assert len(backend.objects()) == 2
    assert "a sweep removes it" in caplog.text
    assert BIG[:20] not in caplog.text
    # If there is a stream, its event removes the body.
    assert await store.purge_deleted(backend.stream()) == []
    assert backend.objects() == pointed_at(backend)


async def test_after_many_parallel_writes_only_the_last_body_is_left(backend, store, ada):
    """Also when some of them write the same text."""
    if backend.engine == "moto":
        pytest.skip("moto does not isolate transactions from each other; DynamoDB Local does")
    stores = [backend.store() for _ in range(4)]
    await store.add_thread_item("thr_1", answer("a", BIG), ada)
    texts = [noise(250 * KB, n % 3) for n in range(8)]
    await asyncio.gather(
        *(stores[n % 4].save_item("thr_1", answer("a", text), ada) for n, text in enumerate(texts))
    )
    assert backend.objects() == pointed_at(backend)
    assert len(backend.objects()) == 1
    assert (await store.load_item("thr_1", "a", ada)).content[0].text in texts


async def test_a_rejected_write_leaves_no_body_in_s3(backend, store, ada):
    await store.add_thread_item("thr_1", answer("a", BIG), ada)
    _, version = await store.load_item_versioned("thr_1", "a", ada)
    newer = await store.save_item_if("thr_1", answer("a", BIG + "2"), ada, expected=version)
    with pytest.raises(Conflict):
        await store.save_item_if("thr_1", answer("a", BIG + "3"), ada, expected=version)
    assert backend.objects() == pointed_at(backend)
    assert (await store.load_item_versioned("thr_1", "a", ada))[1] == newer
    await store.delete_thread("thr_1", ada)
    await Purge(store.table, store.bucket).thread(keys.thread_partition(owner(ada), "thr_1"))
    with pytest.raises(NotFoundError):
        await store.save_item("thr_1", answer("a", BIG), ada)
    assert backend.objects() == []


async def test_a_late_stream_event_does_not_remove_the_current_body(backend, store, ada):
    await store.add_thread_item("thr_1", answer("a", BIG), ada)
    await store.save_item("thr_1", answer("a", BIG + "!"), ada)
    # A change of the row that does not replace the body.
    backend.dynamodb.update_item(
        TableName=backend.table,
        Key=keys.item_key(owner(ada), "thr_1", "a"),
        UpdateExpression="SET note = :note",
        ExpressionAttributeValues={":note": {"S": "x"}},
    )
    assert await store.purge_deleted(backend.stream()) == []
    assert backend.objects() == pointed_at(backend)
    assert len(backend.objects()) == 1


async def test_a_reader_between_two_bodies_gets_the_newer_one(store, ada, monkeypatch):
    """Another write replaces and removes the body after the reader read the row."""
    await store.add_thread_item("thr_1", answer("a", BIG), ada)
    for read in (
        lambda: store.load_item("thr_1", "a", ada),
        lambda: _only(store.load_thread_items("thr_1", None, 5, "asc", ada)),
        lambda: _exported(store, ada),
    ):
        fetch = store.bucket.get
        newer = answer("a", noise(300 * KB, 2))

        async def replace_first(key, fetch=fetch, newer=newer):
            monkeypatch.setattr(store.bucket, "get", fetch)
            await store.save_item("thr_1", newer, ada)
            return await fetch(key)

        monkeypatch.setattr(store.bucket, "get", replace_first)
        assert await read() == newer


async def _only(page):
    (item,) = (await page).data
    return item


async def _exported(store, context):
    entries = [entry async for entry in store.export_user(context.user_id)]
    (item,) = [entry["item"] for entry in entries if entry["type"] == "item"]
    return AssistantMessageItem.model_validate(item)


async def test_without_a_bucket_an_item_that_does_not_fit_the_table_is_rejected(backend, ada):
    store = backend.store(bucket=None, s3_client=None)
    await store.save_thread(thread(), ada)
    await store.add_thread_item("thr_1", answer("a", noise(150 * KB)), ada)
    before = backend.rows()
    with pytest.raises(TooLargeError, match="bucket"):
        await store.save_item("thr_1", answer("a", BIG), ada)
    assert backend.rows() == before


async def test_a_store_without_a_bucket_leaves_items_in_s3_out_of_pages(
    backend, store, ada, caplog
):
    for n, text in enumerate(("secret", BIG, "secret")):
        await store.add_thread_item("thr_1", message(f"m{n}", text, created_at=at(n)), ada)
    bare = backend.store(bucket=None, s3_client=None)
    with caplog.at_level(logging.WARNING):
        page = await bare.load_thread_items("thr_1", None, 2, "asc", ada)
        exported = [entry async for entry in bare.export_user(ada.user_id)]
    assert ([item.id for item in page.data], page.has_more) == (["m0", "m2"], False)
    assert [item.id for item in (await bare.read_turn("thr_1", 9, ada)).items.data] == ["m2", "m0"]
    assert [e["item"]["id"] for e in exported if e["type"] == "item"] == ["m0", "m2"]
    assert "skipped" in caplog.text
    assert "left out" in caplog.text
    assert "secret" not in caplog.text
    with pytest.raises(NoBucketError, match="give the store a bucket"):
        await bare.load_item("thr_1", "m1", ada)
    # It can still replace and delete the item; a sweep removes the body.
    await bare.save_item("thr_1", message("m1", "small", created_at=at(1)), ada)
    assert (await bare.load_item("thr_1", "m1", ada)).content[0].text == "small"


@pytest.mark.parametrize("harm", ["missing", "damaged"])
async def test_a_thread_can_be_read_although_a_body_is_missing_or_damaged(
    backend, store, ada, harm
):
    for n in range(3):
        await store.add_thread_item("thr_1", answer(f"a{n}", "x", created_at=at(n)), ada)
    await store.save_item("thr_1", answer("a1", BIG), ada)
    (key,) = backend.objects()
    if harm == "missing":
        backend.s3.delete_object(Bucket=backend.bucket, Key=key)
    else:
        backend.s3.put_object(Bucket=backend.bucket, Key=key, Body=b"not zlib")
    page = await store.load_thread_items("thr_1", None, 9, "asc", ada)
    assert [item.id for item in page.data] == ["a0", "a2"]
    with pytest.raises(NotFoundError):
        await store.load_item("thr_1", "a1", ada)
