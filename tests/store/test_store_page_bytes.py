"""A page of items is limited in bytes, and says exactly whether more follow."""

import asyncio

import pytest

from functions.store import bodies, items
from tests.store.samples import answer, at, thread
from tests.store.test_store_sizes import noise

TEXTS = {"a": 100, "b": 30_000, "c": 100, "d": 9_000, "e": 9_000, "f": 100, "g": 100}


@pytest.fixture
async def store(backend, ada):
    made = backend.store()
    await made.save_thread(thread(), ada)
    for minute, (item_id, size) in enumerate(TEXTS.items()):
        await made.add_thread_item(
            "thr_1", answer(item_id, noise(size), created_at=at(minute)), ada
        )
    return made


async def pages(store, context, order, limit):
    """The ids on each page, following the cursors."""
    found, after = [], None
    while True:
        page = await store.load_thread_items("thr_1", after, limit, order, context)
        found.append([item.id for item in page.data])
        assert page.has_more == (page.after is not None)
        if not page.has_more:
            return found
        assert page.after == page.data[-1].id
        after = page.after


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (("asc", 50), [["a"], ["b"], ["c", "d"], ["e", "f", "g"]]),
        (("desc", 50), [["g", "f", "e"], ["d", "c"], ["b"], ["a"]]),
        (("asc", 1), [[each] for each in TEXTS]),
        (("desc", 2), [["g", "f"], ["e"], ["d", "c"], ["b"], ["a"]]),
    ],
)
async def test_a_page_ends_before_it_is_too_large_and_one_item_always_fits(
    store, ada, monkeypatch, asked, expected
):
    monkeypatch.setattr(items, "MAX_PAGE_BYTES", 12_000)
    assert await pages(store, ada, *asked) == expected


async def test_a_page_that_is_just_full_and_ends_the_thread_has_no_more(
    backend, store, ada, monkeypatch
):
    rows = [row for row in backend.rows() if "version" in row and "position" in row]
    unpacked = [await bodies.Bodies(None).unpack(row) for row in rows]
    stored = sum(len(text) for text in unpacked)
    assert len(rows) == len(TEXTS)
    for limit, count in ((stored, 1), (stored - 1, 2)):
        monkeypatch.setattr(items, "MAX_PAGE_BYTES", limit)
        assert len(await pages(store, ada, "asc", 50)) == count


async def test_large_bodies_are_read_a_few_at_a_time(store, ada, monkeypatch):
    monkeypatch.setattr(items, "LARGE_AT_ONCE", 2)
    monkeypatch.setattr(items, "MAX_PAGE_BYTES", 70_000)
    for minute in range(10, 16):
        await store.add_thread_item(
            "thr_1", answer(f"l{minute}", noise(30_000), created_at=at(minute)), ada
        )
    inside, most = [], []
    unpack = bodies.Bodies.unpack

    async def counted(self, row):
        if "body" not in row:
            inside.append(1)
            most.append(len(inside))
            await asyncio.sleep(0)
        try:
            return await unpack(self, row)
        finally:
            if "body" not in row:
                inside.pop()

    monkeypatch.setattr(bodies.Bodies, "unpack", counted)
    page = await store.load_thread_items("thr_1", None, 50, "desc", ada)
    assert ([item.id for item in page.data], page.has_more) == (["l15", "l14"], True)
    assert max(most) == 2
    assert len(most) == 4
