"""The head of a thread: a copy of the fields in the thread's row, beside its items."""

import time

import pytest
from chatkit.store import NotFoundError
from chatkit.types import LockedStatus, Thread, ThreadMetadata

from functions.store import Run
from tests.store.samples import answer, at, message, thread


async def saved(store, _, ada):
    await store.save_thread(thread(title="First", metadata={"a": 1}), ada)


async def begun(store, _, ada):
    new = Thread(id="thr_1", created_at=at(0), items={"data": []}, title="First")
    run = Run("r", "thr_1", time.time() + 60)
    written = ThreadMetadata(**new.model_dump())
    await store.begin_run(run, ada, thread=written, item=message("q"))


async def renamed(store, backend, ada):
    await begun(store, backend, ada)
    loaded = await store.load_thread("thr_1", ada)
    loaded.title, loaded.metadata = "Second", {"b": [2]}
    await store.save_thread(loaded, ada)


async def emptied(store, backend, ada):
    await saved(store, backend, ada)
    loaded = await store.load_thread("thr_1", ada)
    loaded.metadata = {}
    await store.save_thread(loaded, ada)


async def locked_by_another_store(store, backend, ada):
    await renamed(store, backend, ada)
    await backend.store().save_thread(thread(status=LockedStatus(reason="Over.")), ada)


async def back_from_the_dead(store, backend, ada):
    await renamed(store, backend, ada)
    await store.delete_thread("thr_1", ada)
    await saved(store, backend, ada)


@pytest.mark.parametrize(
    "write", [saved, begun, renamed, emptied, locked_by_another_store, back_from_the_dead]
)
async def test_the_head_has_the_same_fields_as_the_threads_row(store, backend, ada, write):
    await write(store, backend, ada)
    opened, _ = await store.open_turn("thr_1", 9, ada)
    assert opened == await store.load_thread("thr_1", ada)
    opened.title = "changed in a turn"
    await store.save_thread(opened, ada)
    assert (await store.load_thread("thr_1", ada)).title == "changed in a turn"


async def test_opening_a_turn_costs_one_query(store, ada, bob, meter):
    await store.save_thread(thread(), ada)
    for n in range(5):
        await store.add_thread_item("thr_1", message(f"m{n}", created_at=at(n)), ada)
    meter.clear()
    opened, items = await store.open_turn("thr_1", 3, ada)
    page = await items()
    assert meter.requests == ["Query"]
    assert opened == thread()
    assert [item.id for item in page.data] == ["m4", "m3", "m2"]
    assert (page.has_more, page.after) == (True, "m2")
    for thread_id, context in (("thr_1", bob), ("never", ada)):
        with pytest.raises(NotFoundError):
            await store.open_turn(thread_id, 3, context)


async def test_a_turn_can_be_opened_in_a_thread_of_any_length(store, ada):
    await store.save_thread(thread(), ada)
    _, items = await store.open_turn("thr_1", 3, ada)
    assert (await items()).data == []
    for n in range(3):
        await store.add_thread_item("thr_1", answer(f"a{n}", created_at=at(n)), ada)
    _, items = await store.open_turn("thr_1", 3, ada)
    page = await items()
    assert ([item.id for item in page.data], page.has_more) == (["a2", "a1", "a0"], False)


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_pages_do_not_contain_the_head_and_cost_no_extra_request(store, ada, meter, order):
    await store.save_thread(thread(), ada)
    for n in range(6):
        await store.add_thread_item("thr_1", message(f"m{n}", created_at=at(n)), ada)
    seen, after = [], None
    while True:
        meter.clear()
        page = await store.load_thread_items("thr_1", after, 3, order, ada)
        assert meter.requests.count("Query") == 1
        seen += [item.id for item in page.data]
        if not page.has_more:
            break
        after = page.after
    assert seen == [f"m{n}" for n in (range(6) if order == "asc" else range(5, -1, -1))]


async def test_deleting_a_thread_removes_its_head(backend, ada):
    store = backend.store(purge="stream")
    await store.save_thread(thread(), ada)
    await store.add_thread_item("thr_1", message("m"), ada)
    await store.delete_thread("thr_1", ada)
    assert "HEAD" not in [row["sk"]["S"] for row in backend.rows()]
