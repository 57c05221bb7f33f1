"""Records: a document is replaced only by somebody who read the latest one."""

import pytest
from chatkit.store import NotFoundError

from functions.store import Conflict, Records, Table
from tests.store.samples import thread


async def test_the_second_of_two_writers_of_a_record_gets_a_conflict(backend, ada, bob):
    records = Records(Table(backend.table, backend.dynamodb))
    assert await records.get("todo", ada) == (None, 0)
    first = await records.put("todo", {"a": [1, None, "ü", 1.5]}, ada, version=0)
    assert await records.get("todo", ada) == ({"a": [1, None, "ü", 1.5]}, first)
    with pytest.raises(Conflict):
        await records.put("todo", [], ada, version=0)
    second = await records.put("todo", [], ada, version=first)
    with pytest.raises(Conflict):
        await records.put("todo", ["late"], ada, version=first)
    assert await records.get("todo", ada) == ([], second)
    assert await records.get("todo", bob) == (None, 0)
    assert await records.get("other", ada) == (None, 0)


@pytest.mark.parametrize("thread_id", [None, "thr_1"])
async def test_of_two_writers_of_the_same_content_the_second_gets_a_conflict(
    backend, ada, thread_id
):
    """It would else take the other's row for its own, as after a lost answer."""
    await backend.store().save_thread(thread("thr_1"), ada)
    records = Records(Table(backend.table, backend.dynamodb), thread_id)
    for version in (0, 1):
        assert await records.put("todo", ["same"], ada, version=version) == version + 1
        with pytest.raises(Conflict):
            await records.put("todo", ["same"], ada, version=version)


@pytest.mark.parametrize(
    ("value", "error"),
    [({1, 2}, TypeError), (float("nan"), ValueError), ("x" * 400_000, ValueError)],
)
async def test_a_value_that_cannot_be_a_record_is_rejected_and_nothing_is_stored(
    backend, ada, value, error
):
    records = Records(Table(backend.table, backend.dynamodb))
    with pytest.raises(error):
        await records.put("todo", value, ada, version=0)
    assert backend.rows() == []


async def test_a_record_of_a_thread_is_replaced_like_one_of_a_user(backend, ada, bob):
    await backend.store().save_thread(thread("thr_1"), ada)
    records = Records(Table(backend.table, backend.dynamodb))
    of_thread = records.of_thread("thr_1")
    first = await of_thread.put("cat", {"energy": 5}, ada, version=0)
    with pytest.raises(Conflict):
        await of_thread.put("cat", {"energy": 1}, ada, version=0)
    second = await of_thread.put("cat", {"energy": 6}, ada, version=first)
    assert await of_thread.get("cat", ada) == ({"energy": 6}, second)
    assert await of_thread.get("cat", bob) == (None, 0)
    assert await records.get("cat", ada) == (None, 0)


async def test_no_record_can_be_stored_for_a_deleted_thread(backend, ada, bob):
    store = backend.store()
    await store.save_thread(thread("thr_1"), ada)
    records = Records(Table(backend.table, backend.dynamodb)).of_thread("thr_1")
    with pytest.raises(NotFoundError):
        await records.put("cat", {}, bob, version=0)
    version = await records.put("cat", {}, ada, version=0)
    await store.delete_thread("thr_1", ada)
    for known in (0, version):
        with pytest.raises(NotFoundError):
            await records.put("cat", {"late": True}, ada, version=known)
    assert not [row for row in backend.rows() if row["sk"]["S"].startswith("REC#")]
