"""Threads: saves that write only what changed, listing by last activity, owners."""

import logging
from datetime import UTC, datetime, timedelta, timezone

import pytest
from chatkit.store import NotFoundError
from chatkit.types import ActiveStatus, LockedStatus, Page, Thread, ThreadMetadata

from functions.aws.keys import owner
from functions.context import RequestContext
from functions.store import keys, snapshots
from tests.store.every_store import every_store
from tests.store.samples import NOON, at, message, thread

AWKWARD = [
    "a#b/c d%",
    "😀 émoji",
    "x" * 2000,
    "x" * 1999 + "y",
    "TOMBSTONE",
    "%23",
    "#",
    "2026-01-02T12:00:00.000000Z@thr",
]


async def listed(store, context, order="desc", limit=100):
    return [found.id for found in (await store.load_threads(limit, None, order, context)).data]


@every_store
@pytest.mark.parametrize(
    "moment",
    [
        NOON,
        NOON.replace(microsecond=123456),
        NOON.replace(tzinfo=UTC),
        NOON.replace(tzinfo=timezone(timedelta(hours=5, minutes=30))),
        datetime.min,  # noqa: DTZ901
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-9))),
    ],
)
async def test_a_thread_is_loaded_as_it_was_saved(store, ada, moment):
    saved = thread(
        created_at=moment,
        title="Ünïcode 😀",
        status=LockedStatus(reason="because"),
        allowed_image_domains=["example.com"],
        metadata={"": 1, "a.b#c": {"deep": [None, 1.5, "x"]}, "k" * 300: True},
    )
    await store.save_thread(saved, ada)
    loaded = await store.load_thread(saved.id, ada)
    assert loaded == saved
    assert type(loaded) is ThreadMetadata
    assert loaded.created_at.tzinfo == moment.tzinfo or loaded.created_at == moment


@every_store
@pytest.mark.parametrize("thread_id", AWKWARD)
async def test_different_ids_are_different_threads(store, ada, thread_id):
    for each in AWKWARD:
        await store.save_thread(thread(each, title=each[-5:]), ada)
    assert (await store.load_thread(thread_id, ada)).id == thread_id
    page = await store.load_threads(1, thread_id, "asc", ada)
    assert [found.id for found in page.data] != [thread_id]


@every_store
async def test_another_users_thread_is_not_found_and_not_changed(store, ada, bob):
    await store.save_thread(thread(title="ada's"), ada)
    with pytest.raises(NotFoundError):
        await store.load_thread("thr_1", bob)
    with pytest.raises(NotFoundError):
        await store.add_thread_item("thr_1", message("m"), bob)
    await store.delete_thread("thr_1", bob)
    assert await listed(store, bob) == []
    await store.save_thread(thread(title="bob's"), bob)
    assert (await store.load_thread("thr_1", ada)).title == "ada's"


@every_store
@pytest.mark.parametrize(
    ("first", "second"), [("a", "a#T#thr_1"), ("a#", "a%23"), ("U", "u"), ("a/b", "a%2Fb")]
)
async def test_users_with_similar_names_share_nothing(store, first, second):
    first, second = RequestContext(user_id=first), RequestContext(user_id=second)
    await store.save_thread(thread(), first)
    await store.add_thread_item("thr_1", message("m"), first)
    assert await listed(store, second) == []
    assert (await store.load_thread_items("thr_1", None, 9, "asc", second)).data == []
    await store.save_thread(thread("theirs"), second)
    assert await listed(store, first) == ["thr_1"]
    assert len((await store.load_thread_items("thr_1", None, 9, "asc", first)).data) == 1


async def test_an_instance_that_is_saved_for_another_user_or_store_is_saved_whole(
    backend, store, ada, bob
):
    """The snapshot of one user's or store's thread is not used for another's."""
    one = thread(title="one")
    await store.save_thread(one, ada)
    await store.save_thread(one, bob)
    assert await store.load_thread("thr_1", bob) == one
    await store.delete_thread("thr_1", ada)
    await backend.store().save_thread(one, ada)
    assert await store.load_thread("thr_1", ada) == one


@every_store
@pytest.mark.parametrize("context", [None, {}, {"user_id": ""}, type("C", (), {"user_id": ""})()])
async def test_a_context_without_a_user_reads_and_writes_nothing(backend, store, context):
    with pytest.raises(ValueError, match="user_id"):
        await store.save_thread(thread(), context)
    with pytest.raises(ValueError, match="user_id"):
        await store.load_threads(10, None, "desc", context)
    assert backend.rows() == []


@every_store
async def test_a_new_title_is_kept_when_an_answer_ends_later(store, ada):
    """The answer changes the status of the thread that it loaded before it was renamed."""
    await store.save_thread(thread(metadata={"a": 1, "b": 1}), ada)
    answering = await store.load_thread("thr_1", ada)
    renaming = await store.load_thread("thr_1", ada)
    renaming.title = "Renamed"
    renaming.metadata["b"] = 2
    await store.save_thread(renaming, ada)
    answering.status = LockedStatus()
    answering.metadata["c"] = 3
    del answering.metadata["a"]
    await store.save_thread(answering, ada)
    stored = await store.load_thread("thr_1", ada)
    assert (stored.title, stored.status) == ("Renamed", LockedStatus())
    assert stored.metadata == {"b": 2, "c": 3}


@every_store
async def test_saving_the_thread_that_the_sdk_keeps_writes_only_its_own_changes(
    backend, store, ada
):
    """`threads.create` saves a copy and later saves the `Thread` that it copied."""
    new = Thread(id="thr_1", created_at=NOON, items=Page())
    await store.save_thread(ThreadMetadata(**new.model_dump()), ada)
    elsewhere = backend.store()
    renaming = await elsewhere.load_thread("thr_1", ada)
    renaming.title = "Renamed"
    await elsewhere.save_thread(renaming, ada)
    new.metadata["answered"] = True
    await store.save_thread(new, ada)
    stored = await store.load_thread("thr_1", ada)
    assert (stored.title, stored.metadata) == ("Renamed", {"answered": True})
    assert stored == ThreadMetadata(
        id="thr_1", created_at=NOON, title="Renamed", metadata={"answered": True}
    )


@every_store
async def test_the_sdks_thread_that_a_store_has_forgotten_writes_what_the_answer_has_set(
    store, ada, monkeypatch
):
    monkeypatch.setattr(snapshots, "MAX_REMEMBERED", 0)
    await store.save_thread(thread(title="Renamed", metadata={"a": 1}), ada)
    new = Thread(id="thr_1", created_at=NOON, items=Page(), metadata={"answered": True})
    await store.save_thread(new, ada)
    stored = await store.load_thread("thr_1", ada)
    assert (stored.title, stored.metadata) == ("Renamed", {"a": 1, "answered": True})


@every_store
@pytest.mark.parametrize("remembered", [0, 256])
async def test_an_answer_that_ends_later_does_not_bring_a_deleted_thread_back(
    store, ada, monkeypatch, remembered
):
    monkeypatch.setattr(snapshots, "MAX_REMEMBERED", remembered)
    await store.save_thread(thread(), ada)
    loaded = await store.load_thread("thr_1", ada)
    loaded.title = "late"
    await store.delete_thread("thr_1", ada)
    for late in (loaded, Thread(id="thr_1", created_at=NOON, items=Page(), title="late")):
        with pytest.raises(NotFoundError):
            await store.save_thread(late, ada)
    with pytest.raises(NotFoundError):
        await store.add_thread_item("thr_1", message("m"), ada)
    await store.save_thread(thread(title="another"), ada)
    assert (await store.load_thread("thr_1", ada)).title == "another"


@every_store
async def test_a_copy_of_a_loaded_thread_is_compared_with_what_was_loaded(store, ada):
    await store.save_thread(thread(title="old"), ada)
    copied = (await store.load_thread("thr_1", ada)).model_copy(deep=True)
    renaming = await store.load_thread("thr_1", ada)
    renaming.title = "new"
    await store.save_thread(renaming, ada)
    await store.save_thread(copied.model_copy(update={"status": LockedStatus()}), ada)
    stored = await store.load_thread("thr_1", ada)
    assert (stored.title, stored.status) == ("new", LockedStatus())


@every_store
async def test_a_new_thread_instance_with_a_known_id_replaces_the_stored_fields(store, ada):
    await store.save_thread(thread(title="old", metadata={"a": 1}), ada)
    await store.save_thread(thread(title=None, status=ActiveStatus(), metadata={"b": 2}), ada)
    assert await store.load_thread("thr_1", ada) == thread(metadata={"b": 2})


async def test_saving_an_unchanged_thread_makes_no_request(store, ada, meter):
    await store.save_thread(thread(), ada)
    loaded = await store.load_thread("thr_1", ada)
    meter.clear()
    await store.save_thread(loaded, ada)
    assert meter.requests == []


@every_store
async def test_threads_are_listed_by_creation_and_then_by_last_activity(store, ada):
    for number in (3, 1, 2):
        await store.save_thread(thread(f"t{number}", created_at=at(number)), ada)
    assert await listed(store, ada) == ["t3", "t2", "t1"]
    await store.add_thread_item("t1", message("m", created_at=at(0)), ada)
    assert await listed(store, ada) == ["t1", "t3", "t2"]
    await store.add_thread_item("t2", message("m", created_at=at(0)), ada)
    assert await listed(store, ada, "asc") == ["t3", "t1", "t2"]


@every_store
async def test_renaming_and_locking_do_not_move_a_thread(store, ada):
    for number in range(3):
        await store.save_thread(thread(f"t{number}", created_at=at(number)), ada)
    first = await store.load_thread("t0", ada)
    first.title, first.status = "Renamed", LockedStatus()
    await store.save_thread(first, ada)
    await store.save_thread(thread("t1", created_at=at(99)), ada)
    assert await listed(store, ada) == ["t2", "t1", "t0"]


@every_store
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_paging_neither_restarts_nor_skips_when_threads_move_up(store, ada, order):
    for number in range(9):
        await store.save_thread(thread(f"t{number}", created_at=at(number)), ada)
    seen: list[str] = []
    page = await store.load_threads(2, None, order, ada)
    while True:
        seen += [found.id for found in page.data]
        if not page.has_more:
            break
        # The cursor's thread moves to the top, and so does one of an earlier page.
        await store.add_thread_item(page.data[-1].id, message("m"), ada)
        await store.add_thread_item(seen[0], message("m"), ada)
        page = await store.load_threads(2, page.after, order, ada)
        if len(seen) > 30:
            break
    expected = [f"t{number}" for number in range(9)]
    if order == "desc":
        assert seen == expected[::-1]
    else:  # a thread that moved is listed again at its new position, and none is missing
        assert set(seen) == set(expected)


@every_store
async def test_a_page_of_threads_can_start_after_a_plain_id(store, ada):
    for number in range(4):
        await store.save_thread(thread(f"t{number}", created_at=at(number)), ada)
    page = await store.load_threads(2, "t3", "desc", ada)
    assert [found.id for found in page.data] == ["t2", "t1"]
    with pytest.raises(NotFoundError):
        await store.load_threads(2, "never", "desc", ada)


@every_store
async def test_paging_continues_after_a_deleted_thread(store, ada):
    for number in range(4):
        await store.save_thread(thread(f"t{number}", created_at=at(number)), ada)
    page = await store.load_threads(2, None, "desc", ada)
    await store.delete_thread("t2", ada)
    page = await store.load_threads(2, page.after, "desc", ada)
    assert ([found.id for found in page.data], page.has_more, page.after) == (
        ["t1", "t0"],
        False,
        None,
    )


def rewrite(backend, context, field, text):
    """Write something into a stored thread that only a newer version could have written."""
    backend.dynamodb.update_item(
        TableName=backend.table,
        Key=keys.thread_key(owner(context), "thr_1"),
        UpdateExpression="SET #fields.#field = :text",
        ExpressionAttributeNames={"#fields": "fields", "#field": field},
        ExpressionAttributeValues={":text": {"S": text}},
    )


async def test_a_thread_with_a_status_of_a_newer_version_can_be_read_and_is_locked(
    backend, store, ada
):
    await store.save_thread(thread(title="old", metadata={"a": 1}), ada)
    await store.add_thread_item("thr_1", message("m"), ada)
    rewrite(backend, ada, "status", '{"type":"archived","since":"2027"}')
    loaded = await store.load_thread("thr_1", ada)
    assert (loaded.title, loaded.metadata) == ("old", {"a": 1})
    assert loaded.status.type == "locked"
    assert "newer version" in loaded.status.reason
    assert (await store.load_threads(9, None, "desc", ada)).data == [loaded]
    assert (await store.read_turn("thr_1", 9, ada)).thread == loaded
    assert (await store.load_thread_items("thr_1", None, 9, "asc", ada)).data[0].id == "m"
    # A field that this version does not know is kept until somebody changes it.
    loaded.title = "new"
    await store.save_thread(loaded, ada)
    assert stored_status(backend, ada) == '{"type":"archived","since":"2027"}'
    loaded.status = ActiveStatus()
    await store.save_thread(loaded, ada)
    assert await store.load_thread("thr_1", ada) == thread(title="new", metadata={"a": 1})


def stored_status(backend, context):
    key = keys.thread_key(owner(context), "thr_1")
    row = backend.dynamodb.get_item(TableName=backend.table, Key=key)["Item"]
    return row["fields"]["M"]["status"]["S"]


async def test_a_thread_that_cannot_be_read_is_not_found_by_any_method(backend, store, ada, caplog):
    for number in range(3):
        await store.save_thread(thread(f"thr_{number}", created_at=at(number)), ada)
    rewrite(backend, ada, "created_at", '{"secret":1}')
    with caplog.at_level(logging.WARNING):
        page = await store.load_threads(2, None, "desc", ada)
    assert ([found.id for found in page.data], page.has_more) == (["thr_2", "thr_0"], False)
    assert "cannot read" in caplog.text
    assert "secret" not in caplog.text
    for look in (store.load_thread("thr_1", ada), store.read_turn("thr_1", 9, ada)):
        with pytest.raises(NotFoundError):
            await look
