"""The sweep: what it removes, what it leaves, and how it goes on after an interruption."""

import time

import pytest

from functions.aws.keys import owner
from functions.store import keys
from functions.store import sweep as sweep_module
from functions.store.purge import Purge
from functions.store.sweep import BusyError, Sweep
from tests.store.samples import answer, message, thread
from tests.store.test_store_deletion import BIG, furnish, left

DAY = 24 * 3600


class Clock:
    """A clock that moves when a test says so, and by `step` each time that it is read."""

    def __init__(self, ahead=0.0):
        self.now, self.step = time.time() + ahead, 0.0

    def __call__(self):
        self.now += self.step
        return self.now


@pytest.fixture
def clock():
    """The day after tomorrow, so all objects of the test are old."""
    return Clock(2 * DAY)


@pytest.fixture
def sweep(store, clock):
    """Makes the sweep of another process."""
    return lambda: Sweep(
        store.table, store.bucket, Purge(store.table, store.bucket), pause=0, clock=clock
    )


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    monkeypatch.setattr(sweep_module, "PAGE_ROWS", 5)
    monkeypatch.setattr(sweep_module, "PAGE_OBJECTS", 1)


def rows(backend):
    return {row for row in left(backend) if row[0] != keys.SWEEP}


async def lose(backend, store, context, *names):
    """Threads whose row is gone, as after a crash, with an object each that no row names."""
    for name in names:
        await store.save_thread(thread(name), context)
        await store.add_thread_item(name, answer("big", BIG, thread_id=name), context)
        lost = keys.thread_key(owner(context), name)
        backend.dynamodb.delete_item(TableName=backend.table, Key=lost)
        await store.bucket.put(f"spill/a/{name}/c/orphan", b"x", "application/zlib")


async def test_it_removes_orphans_and_nothing_else(backend, store, ada, sweep):
    await furnish(backend, store, ada)
    kept, objects = rows(backend), set(backend.objects())
    await lose(backend, store, ada, "lost")
    swept = await sweep().run(60)
    # The item and the head; its body in S3 goes with the item, and then the orphan.
    assert (swept.rows, swept.threads, swept.objects, swept.failed) == (2, 1, 1, 0)
    assert swept.finished is not None
    assert rows(backend) == kept
    assert set(backend.objects()) == objects
    assert [sort for partition, sort in left(backend) if partition == keys.SWEEP] == ["PASS"]
    again = await sweep().run(60)
    assert (again.rows, again.objects, again.read) == (0, 0, len(backend.rows()))
    assert (await store.load_item("thr_1", "big", ada)).content[0].text == BIG


async def test_an_object_that_is_no_day_old_may_belong_to_a_run_and_stays(
    backend, store, sweep, clock
):
    """A run writes the body before the row that names it."""
    await store.bucket.put("spill/a/b/c/written-before-its-row", b"x", "application/zlib")
    clock.now = time.time() + DAY - 60
    assert (await sweep().run(60)).objects == 0
    clock.now = time.time() + DAY + 60
    assert (await sweep().run(60)).objects == 1


async def test_it_stops_in_time_and_goes_on_where_it_was(backend, store, ada, sweep, clock):
    await furnish(backend, store, ada, items=9)
    kept, objects = rows(backend), set(backend.objects())
    await lose(backend, store, ada, "lost_1", "lost_2", "lost_3")
    total = len(backend.rows())
    clock.step = 7.0
    runs = [await sweep().run(30)]
    while runs[-1].finished is None:
        assert len(runs) < 100
        runs.append(await sweep().run(30))
    assert len(runs) > 3
    assert {each.began for each in runs} == {runs[0].began}
    assert runs[-1].read < 2 * total  # none has begun anew
    assert (runs[-1].threads, runs[-1].objects) == (3, 3)
    assert rows(backend) == kept
    assert set(backend.objects()) == objects


async def test_a_sweep_that_was_killed_is_finished_by_the_next_one_and_removes_the_same(
    backend, store, ada, sweep, clock
):
    await furnish(backend, store, ada, items=9)
    kept, objects = rows(backend), set(backend.objects())
    await lose(backend, store, ada, "lost_1", "lost_2")

    class KilledError(BaseException):
        pass

    async def killed(*_, **__):
        raise KilledError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep_module, "CHECKPOINT", 0)
        patch.setattr(Sweep, "_objects", killed)
        patch.setattr(Sweep, "_release", killed)  # whoever is killed releases nothing
        with pytest.raises(KilledError):
            await sweep().run(60)
    with pytest.raises(BusyError):  # it may still be at work
        await sweep().run(60)
    clock.now += sweep_module.LEASE + 1
    swept = await sweep().run(60)
    assert swept.finished is not None
    assert swept.objects == 2
    assert rows(backend) == kept
    assert set(backend.objects()) == objects


async def test_two_are_never_at_work_at_the_same_time(store, sweep, monkeypatch):
    first, refused = sweep(), []

    async def meanwhile(_):
        with pytest.raises(BusyError):
            await sweep().run(60)
        refused.append(True)
        return True

    with monkeypatch.context() as patch:
        patch.setattr(Sweep, "_objects", meanwhile)
        await first.run(60)
    assert refused
    assert (await sweep().run(60)).finished


async def test_it_keeps_its_lease_for_as_long_as_it_works(backend, store, ada, sweep, clock):
    await lose(backend, store, ada, "lost_1", "lost_2", "lost_3")
    tried = []

    async def slow(self, partition):
        clock.now += sweep_module.LEASE - 10
        with pytest.raises(BusyError):
            await sweep().run(60)
        tried.append(partition)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sweep, "_remove", slow)
        assert (await sweep().run(10 * sweep_module.LEASE)).finished is not None
    assert len(tried) == 3


async def test_a_new_one_begins_only_when_a_week_has_passed(store, sweep, clock):
    first = await sweep().run(60, again_after=7 * DAY)
    clock.now += 7 * DAY - 1
    assert await sweep().run(60, again_after=7 * DAY) == first
    clock.now += 2
    second = await sweep().run(60, again_after=7 * DAY)
    assert second.began > first.began + 7 * DAY


async def test_a_thread_that_cannot_be_removed_keeps_no_other_one(
    backend, store, ada, sweep, monkeypatch
):
    await lose(backend, store, ada, "lost_1", "lost_2")
    purge = Purge.thread

    async def fails(self, partition):
        if partition.endswith("lost_1"):
            raise OSError("S3 is away")
        return await purge(self, partition)

    monkeypatch.setattr(Purge, "thread", fails)
    swept = await sweep().run(60)
    assert (swept.threads, swept.failed) == (1, 1)
    assert {row[0].rpartition("#")[2] for row in rows(backend)} == {"lost_1"}


async def test_a_thread_that_is_being_made_is_not_removed(backend, store, ada, sweep, monkeypatch):
    """Its rows were read before its thread was there."""
    look = Sweep._without_thread

    async def too_early(self, partitions):
        found = await look(self, partitions)
        await store.save_thread(thread("new"), ada)
        await store.add_thread_item("new", message("m", thread_id="new"), ada)
        return [*found, keys.thread_partition(owner(ada), "new")]

    monkeypatch.setattr(Sweep, "_without_thread", too_early)
    assert (await sweep().run(60)).rows == 0
    assert len(rows(backend)) == 3
