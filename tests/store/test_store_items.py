"""Items: every type, any id, upserts that keep their position, pages, owners."""

import json
import logging
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from chatkit.store import NotFoundError
from chatkit.types import EndOfTurnItem, Page, ThreadItem
from pydantic import TypeAdapter

from functions.aws.keys import owner, part
from functions.store import Conflict, keys
from tests.store.every_item import every_item
from tests.store.every_store import every_store
from tests.store.samples import NOON, answer, as_before, at, message, thread

TYPES = set(TypeAdapter(ThreadItem).json_schema()["discriminator"]["mapping"])


@pytest.fixture
async def store(backend, ada):
    made = backend.store()
    await made.save_thread(thread(), ada)
    return made


async def pages(store, context, limit, order):
    """All items of a thread, page by page, with assertions about each page."""
    found, after = [], None
    while True:
        page = await store.load_thread_items("thr_1", after, limit, order, context)
        found += page.data
        if not page.has_more:
            assert page.after is None
            return [item.id for item in found]
        assert len(page.data) == limit
        assert page.after == page.data[-1].id
        after = page.after


def test_the_samples_cover_every_item_type_of_the_sdk():
    assert {item.type for item in every_item()} == TYPES


@every_store
async def test_every_item_type_is_loaded_as_it_was_saved(store, ada):
    items = every_item()
    for item in items:
        await store.add_thread_item("thr_1", item, ada)
    by_id = {item.id: item for item in items}
    page = await store.load_thread_items("thr_1", None, 100, "asc", ada)
    assert {item.id: item for item in page.data} == by_id
    for item in items:
        loaded = await store.load_item("thr_1", item.id, ada)
        assert loaded == item
        assert type(loaded) is type(item)


@every_store
@pytest.mark.parametrize(
    "moment",
    [NOON, NOON.replace(tzinfo=UTC), NOON.replace(tzinfo=timezone(timedelta(hours=-3)))],
)
async def test_a_time_is_loaded_naive_or_aware_as_it_was_saved(store, ada, moment):
    await store.add_thread_item("thr_1", message("m", created_at=moment), ada)
    loaded = (await store.load_item("thr_1", "m", ada)).created_at
    assert loaded == moment
    assert (loaded.tzinfo is None) == (moment.tzinfo is None)


@every_store
@pytest.mark.parametrize(
    "item_id",
    [
        "__fake_id__",
        "a#b",
        "a/b c",
        "😀" * 40,
        "é" * 2000,
        "x" * 2000,
        "..",
        "%2F",
        "ITEM#",
        "\x00",
    ],
)
async def test_any_id_that_a_model_may_return_works_in_every_thread(store, ada, item_id):
    await store.save_thread(thread("thr_2"), ada)
    await store.add_thread_item("thr_1", message(item_id, "one"), ada)
    await store.add_thread_item("thr_2", message(item_id, "two"), ada)
    await store.add_thread_item("thr_1", message(item_id + "x", created_at=at(1)), ada)
    assert (await store.load_item("thr_1", item_id, ada)).content[0].text == "one"
    assert (await store.load_item("thr_2", item_id, ada)).content[0].text == "two"
    assert await pages(store, ada, 1, "asc") == [item_id, item_id + "x"]
    await store.delete_thread_item("thr_1", item_id, ada)
    with pytest.raises(NotFoundError):
        await store.load_item("thr_1", item_id, ada)
    assert (await store.load_item("thr_2", item_id, ada)).id == item_id


@every_store
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("fresh", [True, False], ids=["another process", "one process"])
async def test_pages_contain_every_item_once_in_one_order(backend, store, ada, limit, fresh):
    """Those of the same time in the order in which they were first written, whatever their ids."""
    moments = {f"m{n}": at(n // 3) for n in range(10)}
    for item_id in [*sorted(moments, reverse=True), "m4", "m1"]:
        await store.add_thread_item("thr_1", message(item_id, created_at=moments[item_id]), ada)

    class Forgetful:
        def __getattr__(self, name):
            return getattr(backend.store() if fresh else store, name)

    ascending = await pages(Forgetful(), ada, limit, "asc")
    assert ascending == ["m2", "m1", "m0", "m5", "m4", "m3", "m8", "m7", "m6", "m9"]
    assert await pages(Forgetful(), ada, limit, "desc") == ascending[::-1]


@every_store
async def test_items_are_ordered_by_creation_and_not_by_when_they_were_saved(store, ada):
    for second in (5, 1, 3):
        await store.add_thread_item("thr_1", message(f"m{second}", created_at=at(second)), ada)
    aware = at(2).astimezone(UTC)
    await store.add_thread_item("thr_1", message("m2", created_at=aware), ada)
    assert await pages(store, ada, 10, "asc") == ["m1", "m2", "m3", "m5"]


@every_store
async def test_many_items_of_one_time_keep_the_order_of_their_writes_in_both_directions(store, ada):
    ids = [f"{n * 7919 % 100:02}" for n in range(30)]
    for item_id in ids:
        await store.add_thread_item("thr_1", message(item_id), ada)
    assert await pages(store, ada, 7, "asc") == ids
    assert await pages(store, ada, 7, "desc") == ids[::-1]


@pytest.mark.parametrize("limit", [1, 2, 9])
async def test_items_of_an_earlier_version_keep_their_order_and_come_before_new_ones_of_their_time(
    backend, store, ada, limit
):
    """It ordered items of one time by their ids."""
    for item_id in ("~z", "b", "!", "a"):
        await store.add_thread_item("thr_1", message(item_id, created_at=at(1)), ada)
        as_before(backend, ada, "thr_1", item_id, at(1))
    old = sorted(("~z", "b", "!", "a"), key=part)
    for item_id, second in (("y", 1), ("x", 1), ("late", 2), ("early", 0), ("b", 1)):
        await backend.store().add_thread_item("thr_1", message(item_id, created_at=at(second)), ada)
    expected = ["early", *old, "y", "x", "late"]
    assert await pages(store, ada, limit, "asc") == expected
    assert await pages(backend.store(), ada, limit, "desc") == expected[::-1]


@every_store
@pytest.mark.parametrize("method", ["add_thread_item", "save_item"])
async def test_saving_an_item_again_replaces_its_content_and_keeps_its_position(store, ada, method):
    for second in range(3):
        await store.add_thread_item("thr_1", message(f"m{second}", created_at=at(second)), ada)
    changed = message("m0", "changed", created_at=at(99))
    await getattr(store, method)("thr_1", changed, ada)
    assert await pages(store, ada, 10, "asc") == ["m0", "m1", "m2"]
    assert await store.load_item("thr_1", "m0", ada) == changed


@every_store
async def test_save_item_also_stores_a_new_item(store, ada):
    await store.save_item("thr_1", message("m"), ada)
    assert (await store.load_item("thr_1", "m", ada)).id == "m"


@every_store
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("fresh", [True, False], ids=["another process", "one process"])
async def test_paging_continues_after_a_deleted_item(backend, store, ada, order, fresh):
    ids = [f"m{n}" for n in range(6)]
    for n, item_id in enumerate(ids):
        await store.add_thread_item("thr_1", message(item_id, created_at=at(n)), ada)
    expected = ids if order == "asc" else ids[::-1]
    page = await store.load_thread_items("thr_1", None, 2, order, ada)
    await store.delete_thread_item("thr_1", page.after, ada)
    await store.delete_thread_item("thr_1", expected[2], ada)
    reader = backend.store() if fresh else store
    page = await reader.load_thread_items("thr_1", page.after, 2, order, ada)
    assert [item.id for item in page.data] == expected[3:5]
    assert page.has_more


@every_store
async def test_a_page_may_be_larger_than_one_query(store, ada):
    """Also when an item's id is empty, which means the first page when it is used as a cursor."""
    for n, item_id in enumerate(("", "m1", "m2")):
        await store.add_thread_item("thr_1", message(item_id, created_at=at(n)), ada)
    page = await store.load_thread_items("thr_1", None, 1, "asc", ada)
    assert (page.after, page.has_more) == ("", True)
    page = await store.load_thread_items("thr_1", None, 10**12, "asc", ada)
    assert [item.id for item in page.data] == ["", "m1", "m2"]
    page = await store.load_thread_items("thr_1", "", 10**12, "asc", ada)
    assert [item.id for item in page.data] == ["m1", "m2"]


@every_store
async def test_an_item_that_is_deleted_and_added_again_gets_a_new_position(store, ada):
    for n in range(3):
        await store.add_thread_item("thr_1", message(f"m{n}", created_at=at(n)), ada)
    await store.delete_thread_item("thr_1", "m0", ada)
    assert await pages(store, ada, 10, "asc") == ["m1", "m2"]
    await store.add_thread_item("thr_1", message("m0", "again", created_at=at(9)), ada)
    assert await pages(store, ada, 10, "asc") == ["m1", "m2", "m0"]


@every_store
async def test_an_unknown_cursor_is_not_found(store, ada):
    await store.add_thread_item("thr_1", message("m"), ada)
    with pytest.raises(NotFoundError):
        await store.load_thread_items("thr_1", "never", 2, "asc", ada)


@every_store
async def test_another_users_items_are_an_empty_page_and_each_is_not_found(store, ada, bob):
    await store.add_thread_item("thr_1", message("m"), ada)
    for after in (None, "m"):
        page = await store.load_thread_items("thr_1", after, 10, "asc", bob)
        assert page == Page()
    with pytest.raises(NotFoundError):
        await store.load_item("thr_1", "m", bob)
    await store.delete_thread_item("thr_1", "m", bob)
    assert (await store.load_item("thr_1", "m", ada)).id == "m"


@every_store
async def test_an_item_for_an_unknown_thread_is_not_stored(backend, store, ada):
    before = backend.rows()
    with pytest.raises(NotFoundError):
        await store.add_thread_item("never", message("m"), ada)
    assert backend.rows() == before
    assert await store.load_thread_items("never", None, 10, "asc", ada) == Page()


@every_store
async def test_an_item_of_another_thread_is_not_found(store, ada):
    await store.save_thread(thread("thr_2"), ada)
    await store.add_thread_item("thr_1", message("m"), ada)
    with pytest.raises(NotFoundError):
        await store.load_item("thr_2", "m", ada)


@every_store
async def test_deleting_something_unknown_is_fine(backend, store, ada):
    before = backend.rows()
    await store.delete_thread_item("thr_1", "never", ada)
    await store.delete_thread_item("never", "never", ada)
    await store.delete_thread("never", ada)
    await store.delete_attachment("never", ada)
    assert backend.rows() == before


async def test_an_item_type_of_a_newer_version_is_kept_and_left_out_of_pages(
    backend, store, ada, caplog
):
    for n in range(5):
        await store.add_thread_item("thr_1", message(f"m{n}", "secret", created_at=at(n)), ada)
    key = keys.item_key(owner(ada), "thr_1", "m2")
    novel = json.dumps({"type": "hologram", "id": "m2", "text": "secret"})
    backend.dynamodb.update_item(
        TableName=backend.table,
        Key=key,
        UpdateExpression="SET body = :b",
        ExpressionAttributeValues={":b": {"S": novel}},
    )
    with caplog.at_level(logging.WARNING):
        assert await pages(store, ada, 2, "asc") == ["m0", "m1", "m3", "m4"]
        assert await pages(store, ada, 3, "desc") == ["m4", "m3", "m1", "m0"]
    assert "skipped" in caplog.text
    assert "secret" not in caplog.text
    with pytest.raises(NotFoundError):
        await store.load_item("thr_1", "m2", ada)
    stored = backend.dynamodb.get_item(TableName=backend.table, Key=key)["Item"]
    assert stored["body"]["S"] == novel


async def test_the_second_of_two_tabs_that_change_an_item_gets_a_conflict(store, ada):
    await store.add_thread_item("thr_1", answer("a", "one"), ada)
    item, version = await store.load_item_versioned("thr_1", "a", ada)
    second = answer("a", "two")
    newer = await store.save_item_if("thr_1", second, ada, expected=version)
    with pytest.raises(Conflict):
        await store.save_item_if("thr_1", answer("a", "three"), ada, expected=version)
    assert await store.load_item_versioned("thr_1", "a", ada) == (second, newer)
    await store.delete_thread_item("thr_1", "a", ada)
    with pytest.raises(Conflict):
        await store.save_item_if("thr_1", item, ada, expected=newer)
    await store.delete_thread("thr_1", ada)
    with pytest.raises(NotFoundError):
        await store.save_item_if("thr_1", item, ada, expected=newer)


@every_store
async def test_generated_ids_have_the_sdks_prefixes_and_sort_by_time(store, ada):
    prefixes = {"message": "msg_", "tool_call": "tc_", "workflow": "wf_", "task": "tsk_"}
    for kind, prefix in {**prefixes, "sdk_hidden_context": "shcx_"}.items():
        assert store.generate_item_id(kind, thread(), ada).startswith(prefix)
    made = [store.generate_thread_id(ada) for _ in range(2000)]
    assert all(earlier < later for earlier, later in pairwise(made))
    assert made[0].startswith("thr_")
    assert made[0][-32 + 12] == "7"


@every_store
async def test_feedback_is_stored_for_existing_items_and_replaced_by_newer_feedback(
    store, ada, bob
):
    for n in range(3):
        await store.add_thread_item("thr_1", EndOfTurnItem(**_base(f"m{n}")), ada)
    await store.save_feedback("thr_1", ["m0", "m1", "m0"], "positive", ada)
    await store.save_feedback("thr_1", ["m1"], "negative", ada)
    marks = {mark.item_id: mark.kind for mark in await store.load_feedback("thr_1", ada)}
    assert marks == {"m0": "positive", "m1": "negative"}
    for thread_id, item_ids, context in (
        ("thr_1", ["m0", "never"], ada),
        ("never", ["m0"], ada),
        ("thr_1", ["m0"], bob),
    ):
        with pytest.raises(NotFoundError):
            await store.save_feedback(thread_id, item_ids, "negative", context)
    await store.delete_thread_item("thr_1", "m1", ada)
    marks = {mark.item_id: mark.kind for mark in await store.load_feedback("thr_1", ada)}
    assert marks == {"m0": "positive"}
    assert await store.load_feedback("thr_1", bob) == []


@every_store
async def test_feedback_can_be_taken_back(store, ada):
    for n in range(2):
        await store.add_thread_item("thr_1", EndOfTurnItem(**_base(f"m{n}")), ada)
    await store.save_feedback("thr_1", ["m0", "m1"], "positive", ada)
    await store.save_feedback("thr_1", ["m0"], None, ada)
    await store.save_feedback("thr_1", ["m0"], None, ada)
    assert [mark.item_id for mark in await store.load_feedback("thr_1", ada)] == ["m1"]
    with pytest.raises(NotFoundError):
        await store.save_feedback("thr_1", ["never"], None, ada)


@every_store
async def test_feedback_has_the_time_of_its_writing_unless_another_is_given(store, ada):
    await store.add_thread_item("thr_1", EndOfTurnItem(**_base("m0")), ada)
    earlier = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    await store.save_feedback("thr_1", ["m0"], "positive", ada, at=earlier)
    (mark,) = await store.load_feedback("thr_1", ada)
    assert mark.at == "2026-01-02T03:04:05.000000Z"
    before = datetime.now(UTC)
    await store.save_feedback("thr_1", ["m0"], "negative", ada)
    (mark,) = await store.load_feedback("thr_1", ada)
    assert before <= datetime.fromisoformat(mark.at) <= datetime.now(UTC)


def _base(item_id):
    return {"id": item_id, "thread_id": "thr_1", "created_at": NOON}
