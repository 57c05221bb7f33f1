"""A new thread with the id of a deleted one contains nothing of the old thread."""

import time

import pytest
from botocore.exceptions import ClientError
from chatkit.store import NotFoundError
from chatkit.types import Page, Thread

from functions.aws.keys import owner
from functions.store import Run, keys
from functions.store import purge as purge_module
from tests.store.samples import NOON, answer, message, thread
from tests.store.test_store_deletion import BIG, left


async def filled(store, context):
    await store.save_thread(thread(title="old"), context)
    for item in (message("m1"), message("m2"), message("m3"), answer("big", BIG)):
        await store.add_thread_item("thr_1", item, context)
    await store.save_feedback("thr_1", ["m1"], "positive", context)


def lose(backend, key):
    """Remove a row, as TTL does."""
    backend.dynamodb.delete_item(TableName=backend.table, Key=key)


async def taken_by_ttl(backend, store, context):
    await filled(store, context)
    lose(backend, keys.thread_key(owner(context), "thr_1"))


async def without_its_tombstone(backend, store, context):
    """A deletion a day ago whose purge never ran."""
    await filled(store, context)
    await store.delete_thread("thr_1", context)
    lose(backend, keys.tombstone_key(owner(context), "thr_1"))


gone = pytest.mark.parametrize("end", [taken_by_ttl, without_its_tombstone])


@gone
async def test_a_new_thread_with_an_old_id_contains_nothing_of_the_old_thread(backend, ada, end):
    store = backend.store(purge="stream")
    await end(backend, store, ada)
    again = backend.store(purge="stream")
    await again.save_thread(thread(title="again"), ada)
    assert sorted(sort for _, sort in left(backend)) == ["HEAD", "THREAD#thr_1"]
    assert backend.objects() == []
    assert await again.load_thread_items("thr_1", None, 9, "asc", ada) == Page()
    await again.add_thread_item("thr_1", message("m1", "new"), ada)
    (item,) = (await again.load_thread_items("thr_1", None, 9, "asc", ada)).data
    assert item.content[0].text == "new"
    assert (await again.open_turn("thr_1", 9, ada))[0] == thread(title="again")


@gone
async def test_only_saving_a_new_thread_purges_an_old_one_with_its_id(backend, ada, end):
    """`begin_run` and a save of a known thread do not purge the old one."""
    store = backend.store(purge="stream")
    await end(backend, store, ada)
    before = backend.rows()
    late = Thread(id="thr_1", created_at=NOON, items=Page(), title="late")
    with pytest.raises(NotFoundError):
        await backend.store(purge="stream").save_thread(late, ada)
    if end is taken_by_ttl:
        run = Run("r", "thr_1", time.time() + 60)
        with pytest.raises(NotFoundError):
            await store.begin_run(run, ada, thread=thread(), item=message("q"))
    assert backend.rows() == before


@gone
async def test_an_interrupted_purge_is_finished_before_the_id_is_used_again(
    backend, ada, end, monkeypatch
):
    """The first purge fails half-way. The rows that say it is due are removed last."""
    monkeypatch.setattr(purge_module, "ROWS_AT_ONCE", 2)
    store = backend.store(purge="stream")
    await end(backend, store, ada)
    delete_many, batches = store.table.delete_many, []

    async def dies(doomed):
        batches.append(doomed)
        if len(batches) == 2:
            raise ClientError({"Error": {"Code": "InternalServerError"}}, "BatchWriteItem")
        await delete_many(doomed)

    with monkeypatch.context() as broken:
        broken.setattr(store.table, "delete_many", dies)
        with pytest.raises(ClientError):
            await store.save_thread(thread(title="again"), ada)
    await backend.store(purge="stream").save_thread(thread(title="again"), ada)
    assert sorted(sort for _, sort in left(backend)) == ["HEAD", "THREAD#thr_1"]
    assert backend.objects() == []


async def test_a_thread_that_is_created_and_deleted_during_a_purge_is_purged_again(
    backend, ada, monkeypatch
):
    store, other = backend.store(purge="stream"), backend.store(purge="stream")
    await filled(store, ada)
    await store.delete_thread("thr_1", ada)
    again = backend.store(purge="stream")
    purge, seen = again._purge.thread, []

    async def overtaken(partition):
        removed = await purge(partition)
        if not seen:
            seen.append(removed)
            await filled(other, ada)
            await other.delete_thread("thr_1", ada)
        return removed

    monkeypatch.setattr(again._purge, "thread", overtaken)
    await again.save_thread(thread(title="again"), ada)
    assert sorted(sort for _, sort in left(backend)) == ["HEAD", "THREAD#thr_1"]
    assert backend.objects() == []
