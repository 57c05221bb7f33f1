"""Saving a thread without a snapshot, or with many changes, undoes nobody else's change."""

import asyncio

import pytest
from chatkit.store import NotFoundError
from chatkit.types import LockedStatus, Page, Thread, ThreadMetadata

from functions.store import snapshots
from tests.store.samples import NOON, at, thread

MANY = 300


@pytest.fixture
def forgetful(monkeypatch):
    monkeypatch.setattr(snapshots, "MAX_REMEMBERED", 2)


async def streamed(store, context):
    """A thread that the SDK created and still holds, after this process created others."""
    new = Thread(id="thr_1", created_at=NOON, items=Page())
    await store.save_thread(ThreadMetadata(**new.model_dump()), context)
    for n in range(3):
        await store.save_thread(thread(f"other {n}", created_at=at(n)), context)
    return new


@pytest.mark.parametrize("purge", ["now", "stream"])
async def test_the_end_of_an_answer_does_not_recreate_a_deleted_thread(
    backend, ada, forgetful, purge
):
    store = backend.store(purge=purge)
    new = await streamed(store, ada)
    await store.delete_thread("thr_1", ada)
    before = backend.rows()
    for metadata in ({}, {"answered": True}, {"answered": True}):
        new.metadata = metadata
        with pytest.raises(NotFoundError):
            await store.save_thread(new, ada)
    assert backend.rows() == before


async def test_the_end_of_an_answer_does_not_undo_a_rename(backend, store, ada, forgetful):
    new = await streamed(store, ada)
    renaming = await store.load_thread("thr_1", ada)
    renaming.title, renaming.status = "Renamed", LockedStatus()
    await store.save_thread(renaming, ada)
    new.metadata["answered"] = True
    await store.save_thread(new, ada)
    expected = thread(title="Renamed", status=LockedStatus(), metadata={"answered": True})
    assert await store.load_thread("thr_1", ada) == expected
    # Now there is a snapshot of the instance, so changing a field back writes it.
    new.metadata = {}
    await store.save_thread(new, ada)
    expected.metadata = {}
    assert await store.load_thread("thr_1", ada) == expected
    assert (await store.open_turn("thr_1", 9, ada))[0] == expected


async def test_a_thread_with_items_that_was_never_saved_is_created(store, ada):
    new = Thread(id="thr_1", created_at=NOON, items=Page(), title="First", metadata={"a": 1})
    await store.save_thread(new, ada)
    assert await store.load_thread("thr_1", ada) == thread(title="First", metadata={"a": 1})
    assert [each.id for each in (await store.load_threads(9, None, "desc", ada)).data] == ["thr_1"]


@pytest.mark.parametrize("count", [10, snapshots.MAX_CHANGES, MANY])
async def test_many_keys_may_change_in_one_save_and_all_others_stay(backend, store, ada, count):
    old = {f"old {n}": n for n in range(count)}
    await store.save_thread(thread(title="old", metadata={**old, "mine": 1}), ada)
    first = await store.load_thread("thr_1", ada)
    second = await backend.store().load_thread("thr_1", ada)
    second.title, second.metadata["theirs"] = "new", 2
    await backend.store().save_thread(second, ada)
    new = {f"new {n}": n for n in range(count)}
    first.metadata, first.status = {**new, "mine": 1}, LockedStatus()
    await store.save_thread(first, ada)
    stored = await store.load_thread("thr_1", ada)
    assert (stored.title, stored.status) == ("new", LockedStatus())
    assert stored.metadata == {**new, "mine": 1, "theirs": 2}
    assert (await store.open_turn("thr_1", 9, ada))[0] == stored


async def test_many_keys_changed_by_two_parallel_saves_are_all_kept(
    backend, store, ada, monkeypatch
):
    """A write between the read and the write of a save is neither lost nor overwritten."""
    await store.save_thread(thread(), ada)
    slow = await store.load_thread("thr_1", ada)
    slow.metadata = {f"slow {n}": n for n in range(MANY)}
    other, get, met = backend.store(), store.table.get, []

    async def overtaken(key, **kwargs):
        row = await get(key, **kwargs)
        if not met:
            met.append(row)
            quick = await other.load_thread("thr_1", ada)
            quick.title, quick.metadata["quick"] = "Renamed", True
            await other.save_thread(quick, ada)
        return row

    monkeypatch.setattr(store.table, "get", overtaken)
    await store.save_thread(slow, ada)
    stored = await other.load_thread("thr_1", ada)
    assert (stored.title, stored.metadata) == ("Renamed", {**slow.metadata, "quick": True})
    assert (await other.open_turn("thr_1", 9, ada))[0] == stored


async def test_many_keys_of_a_deleted_thread_are_not_found(backend, store, ada):
    await store.save_thread(thread(), ada)
    loaded = await store.load_thread("thr_1", ada)
    loaded.metadata = {str(n): n for n in range(MANY)}
    await store.delete_thread("thr_1", ada)
    before = backend.rows()
    with pytest.raises(NotFoundError):
        await asyncio.wait_for(store.save_thread(loaded, ada), 10)
    assert backend.rows() == before


@pytest.mark.parametrize("count", [1, MANY])
async def test_parallel_saves_that_together_exceed_the_rows_limit_are_rejected(
    backend, store, ada, count
):
    """Each save alone is within the limit. (AWS also counts the row's entry in the index.)"""
    if backend.engine == "moto":
        pytest.skip("moto holds any row in a transaction; DynamoDB Local does not")
    await store.save_thread(thread(), ada)
    loaded = [await store.load_thread("thr_1", ada) for _ in range(3)]
    for n, each in enumerate(loaded):
        each.metadata = {f"{n} {k}": "x" * (140_000 // count) for k in range(count)}
    first, second, third = loaded
    for each in (first, second):
        await store.save_thread(each, ada)
    before = backend.rows()
    with pytest.raises(ValueError, match="too large"):
        await store.save_thread(third, ada)
    assert backend.rows() == before
    found, _ = await store.open_turn("thr_1", 9, ada)
    assert found.metadata == {**first.metadata, **second.metadata}


@pytest.mark.parametrize("known", [False, True])
async def test_a_key_that_is_no_attributes_name_is_refused(backend, store, ada, known):
    longest = {"k" * snapshots.MAX_KEY: 1}
    await store.save_thread(thread(metadata=longest), ada)
    changed = await store.load_thread("thr_1", ada) if known else thread()
    assert known is (changed.metadata == longest)
    before = backend.rows()
    changed.metadata = {"k" * 70_000: 1}
    with pytest.raises(ValueError, match="too large"):
        await store.save_thread(changed, ada)
    assert backend.rows() == before
    changed.metadata = {"l" * snapshots.MAX_KEY: 1}
    await store.save_thread(changed, ada)
    assert (await store.load_thread("thr_1", ada)).metadata == changed.metadata
