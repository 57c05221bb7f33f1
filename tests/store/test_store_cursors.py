"""Cursors of items and threads that have moved or were deleted since."""

import pytest
from chatkit.store import NotFoundError

from functions.aws.keys import owner
from functions.store import keys
from tests.store.every_store import every_store
from tests.store.samples import at, message, thread


@pytest.fixture
async def other(backend, store, ada):
    """The store of another process, and a thread of six items."""
    await store.save_thread(thread(), ada)
    for n in range(6):
        await store.add_thread_item("thr_1", message(f"m{n}", created_at=at(n)), ada)
    return backend.store()


async def ids(store, context, after, limit, order):
    page = await store.load_thread_items("thr_1", after, limit, order, context)
    return [item.id for item in page.data], page.has_more


@every_store
@pytest.mark.parametrize(
    ("order", "place", "expected"),
    [
        ("asc", 9, ([], False)),
        ("asc", -9, (["m0", "m2"], True)),
        ("asc", 3.5, (["m4", "m5"], False)),
        ("desc", 9, (["m5", "m4"], True)),
        ("desc", -9, ([], False)),
        ("desc", 3.5, (["m3", "m2"], True)),
    ],
)
async def test_a_cursor_follows_an_item_that_another_process_deleted_and_saved_again(
    store, other, ada, *, order, place, expected
):
    limit, cursor = (2, "m1") if order == "asc" else (5, "m1")
    page = await store.load_thread_items("thr_1", None, limit, order, ada)
    assert page.after == cursor
    await other.delete_thread_item("thr_1", cursor, ada)
    await other.add_thread_item("thr_1", message(cursor, created_at=at(place)), ada)
    for _ in range(2):
        for reader in (other, store):
            assert await ids(reader, ada, cursor, 2, order) == expected


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_an_item_that_another_process_deleted_is_a_valid_cursor_for_a_day(
    backend, store, other, ada, order
):
    page = await store.load_thread_items("thr_1", None, 3, order, ada)
    await other.delete_thread_item("thr_1", page.after, ada)
    rest = ["m3", "m4", "m5"] if order == "asc" else ["m2", "m1", "m0"]
    for reader in (other, store):
        assert await ids(reader, ada, page.after, 9, order) == (rest, False)
    # TTL does this a day later.
    key = keys.item_key(owner(ada), "thr_1", page.after)
    backend.dynamodb.delete_item(TableName=backend.table, Key=key)
    for reader in (other, store):
        with pytest.raises(NotFoundError):
            await ids(reader, ada, page.after, 9, order)


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
async def test_a_cursor_that_has_not_moved_costs_no_extra_request(
    store, other, ada, meter, *, order, limit
):
    seen, after = [], None
    while True:
        meter.clear()
        page = await store.load_thread_items("thr_1", after, limit, order, ada)
        assert sorted(meter.requests) == ["GetItem", "Query"]
        seen += [item.id for item in page.data]
        if not page.has_more:
            break
        after = page.after
    assert seen == [f"m{n}" for n in (range(6) if order == "asc" else range(5, -1, -1))]


@every_store
async def test_a_thread_that_moves_up_before_its_page_is_read_is_on_the_first_page(store, ada):
    """Pages go by position, so a thread that moves to the top is on none of the following pages."""
    for number in range(6):
        await store.save_thread(thread(f"t{number}", created_at=at(number)), ada)
    first = await store.load_threads(2, None, "desc", ada)
    await store.add_thread_item("t1", message("m", thread_id="t1"), ada)
    rest = await store.load_threads(9, first.after, "desc", ada)
    assert [each.id for each in first.data + rest.data] == ["t5", "t4", "t3", "t2", "t0"]
    assert (await store.load_threads(2, None, "desc", ada)).data[0].id == "t1"
