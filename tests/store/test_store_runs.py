"""Runs: claimed once, in one transaction with their message, and cancelled by their owner."""

import base64
import random
import time
from contextlib import nullcontext

import pytest
from chatkit.store import NotFoundError
from chatkit.types import FileAttachment, Page, Thread, ThreadMetadata

from functions.aws.keys import owner
from functions.run_record import RunRecord
from functions.store import Run, RunAlreadyStarted, RunCancelled, Runs, Table
from functions.store.keys import ended_run_key
from tests.store.samples import NOON, answer, at, message, run_record, thread
from tests.store.test_store_sizes import KB, noise


def soon(seconds=60):
    return time.time() + seconds


@pytest.fixture
def runs(backend):
    return Runs(Table(backend.table, backend.dynamodb))


@pytest.fixture
async def store(backend, ada):
    made = backend.store()
    await made.save_thread(thread(), ada)
    return made


async def test_a_run_is_claimed_once(runs, store, ada, bob):
    await store.begin_run(Run("r", "thr_1", soon()), ada)
    with pytest.raises(RunAlreadyStarted):
        await store.begin_run(Run("r", "thr_1", soon()), ada)
    await runs.finish("r", "thr_1", ada, "done")
    with pytest.raises(RunAlreadyStarted):
        await store.begin_run(Run("r", "thr_1", soon()), ada)
    with pytest.raises(RunAlreadyStarted):
        await store.begin_run(Run("r", "thr_1", soon()), ada, item=message("m"))
    assert (await store.load_thread_items("thr_1", None, 9, "asc", ada)).data == []
    # For another user, the same id is another run.
    await store.save_thread(thread(), bob)
    await store.begin_run(Run("r", "thr_1", soon()), bob)


async def test_only_its_owner_can_cancel_a_run(runs, store, ada, bob):
    await store.begin_run(Run("r", "thr_1", soon()), ada)
    assert not await runs.is_cancelled("r", ada)
    await runs.cancel("r", bob)
    assert not await runs.is_cancelled("r", ada)
    await runs.cancel("r", ada)
    await runs.cancel("r", ada)
    assert await runs.is_cancelled("r", ada)


async def test_a_run_that_was_cancelled_before_never_starts(runs, store, ada):
    await runs.cancel("r", ada)
    assert await runs.is_cancelled("r", ada)
    with pytest.raises(RunCancelled):
        await store.begin_run(Run("r", "thr_1", soon()), ada)
    with pytest.raises(RunCancelled):
        await store.begin_run(Run("r", "thr_1", soon()), ada, item=message("m"))
    with pytest.raises(RunCancelled):
        await store.begin_run(Run("r", "new", soon()), ada, thread=thread("new"))
    assert (await store.load_thread_items("thr_1", None, 9, "asc", ada)).data == []
    assert await runs.running("thr_1", ada) is None


async def test_a_thread_names_its_running_run_until_it_ends_or_its_deadline_passes(
    runs, store, ada, bob
):
    assert (await store.read_turn("thr_1", 9, ada)).running is None
    deadline = soon()
    await store.begin_run(Run("r", "thr_1", deadline), ada, item=message("m"))
    for found in (
        await runs.running("thr_1", ada),
        (await store.read_turn("thr_1", 9, ada)).running,
    ):
        assert (found.run_id, found.until) == ("r", pytest.approx(deadline))
    assert await runs.running("thr_1", bob) is None
    await runs.finish("another", "thr_1", ada, "done")
    assert await runs.running("thr_1", ada)
    await runs.finish("r", "thr_1", ada, "done")
    assert await runs.running("thr_1", ada) is None
    await store.begin_run(Run("killed", "thr_1", time.time() - 1), ada)
    assert await runs.running("thr_1", ada) is None


async def test_a_turn_is_read_in_one_round_trip_and_claimed_in_one(store, ada, bob, meter):
    for n in range(5):
        await store.add_thread_item("thr_1", message(f"m{n}", created_at=at(n)), ada)
    meter.clear()
    turn = await store.read_turn("thr_1", 3, ada)
    assert sorted(meter.requests) == ["GetItem", "Query"]  # in parallel
    assert turn.thread == thread()
    assert [item.id for item in turn.items.data] == ["m4", "m3", "m2"]
    assert (turn.items.has_more, turn.items.after) == (True, "m2")
    meter.clear()
    await store.begin_run(Run("r", "thr_1", soon()), ada, item=message("m5", created_at=at(5)))
    assert meter.requests == ["TransactWriteItems"]
    for thread_id, context in (("thr_1", bob), ("never", ada)):
        with pytest.raises(NotFoundError):
            await store.read_turn(thread_id, 3, context)


async def test_a_new_thread_its_run_and_its_message_are_written_in_one_transaction(
    runs, store, ada, meter
):
    new = Thread(id="new", created_at=NOON, items=Page())
    file = FileAttachment(id="f", name="f", mime_type="text/plain", thread_id="new")
    first = message("m", thread_id="new", attachments=[file])
    meter.clear()
    run = Run("r", "new", soon())
    await store.begin_run(run, ada, thread=ThreadMetadata(**new.model_dump()), item=first)
    assert meter.requests == ["TransactWriteItems"]
    assert (await store.load_item("new", "m", ada)) == first
    assert (await store.load_attachment("f", ada)).thread_id == "new"
    assert (await runs.running("new", ada)).run_id == "r"
    new.title = "Titled"
    await store.save_thread(new, ada)
    assert (await store.load_thread("new", ada)).title == "Titled"
    assert (await store.load_threads(1, None, "desc", ada)).data[0].id in {"new", "thr_1"}


async def test_a_run_in_a_deleted_thread_writes_nothing(backend, runs, store, ada):
    await store.delete_thread("thr_1", ada)
    before = backend.rows()
    with pytest.raises(NotFoundError):
        await store.begin_run(Run("r", "thr_1", soon()), ada, item=answer("a"))
    with pytest.raises(NotFoundError):
        await store.begin_run(Run("r", "thr_1", soon()), ada)
    assert backend.rows() == before


@pytest.mark.parametrize("new", [False, True])
async def test_a_message_may_have_as_many_files_as_fit_into_a_transaction(
    backend, runs, store, ada, new
):
    thread_id = "new" if new else "thr_1"
    begun = {"thread": thread("new")} if new else {}
    files = [
        FileAttachment(id=f"f{n}", name="f", mime_type="text/plain", thread_id=thread_id)
        for n in range(49)
    ]
    before = backend.rows()
    run = Run("r", thread_id, soon())
    item = message("q", noise(300 * KB), thread_id=thread_id, attachments=files)
    with pytest.raises(ValueError, match="49 files"):
        await store.begin_run(run, ada, item=item, **begun)
    assert (backend.rows(), backend.objects()) == (before, [])
    item = message("q", thread_id=thread_id, attachments=files[:48])
    await store.begin_run(run, ada, item=item, **begun)
    assert (await store.load_item(thread_id, "q", ada)).attachments == files[:48]


async def test_renaming_a_thread_keeps_the_run_in_its_row(runs, store, ada):
    await store.begin_run(Run("r", "thr_1", soon()), ada)
    renaming = await store.load_thread("thr_1", ada)
    renaming.title = "Renamed"
    await store.save_thread(renaming, ada)
    assert (await runs.running("thr_1", ada)).run_id == "r"


async def test_a_large_message_that_is_sent_twice_leaves_one_body(backend, ada):
    store = backend.store()
    large = base64.b64encode(random.Random(1).randbytes(400_000)).decode()
    for name, expected in (("one", nullcontext()), ("two", pytest.raises(RunAlreadyStarted))):
        new, item = thread(name), message("m", text=large)
        with expected:
            await store.begin_run(Run("r", name, soon()), ada, thread=new, item=item)
    assert len(backend.objects()) == 1
    assert (await store.load_item("one", "m", ada)).content[0].text == large


async def test_a_record_is_kept_with_its_thread_and_goes_with_it(runs, store, backend, ada):
    kept = ended_run_key(owner(ada), "thr_1", "run_1")
    await runs.keep_record(run_record(), ada)
    row = await runs.table.get(kept)
    assert RunRecord.model_validate_json(row["body"]["S"]) == run_record()
    assert float(row["expires"]["N"]) > time.time() + 89 * 86_400
    await store.delete_user(ada.user_id)
    assert await runs.table.get(kept) is None


async def test_nothing_is_kept_of_a_thread_that_was_deleted_during_its_run(runs, store, ada):
    await store.delete_thread("thr_1", ada)
    await runs.keep_record(run_record(), ada)
    assert await runs.table.get(ended_run_key(owner(ada), "thr_1", "run_1")) is None
