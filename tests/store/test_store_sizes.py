"""Items of any size: bodies in the row, compressed in the row, in S3; pages over a megabyte."""

import random
import zlib

import pytest
from botocore.exceptions import ClientError

from functions.aws.keys import owner
from functions.store import bodies, keys
from tests.store.samples import answer, at, thread

KB = 1024


def noise(size: int, seed: int = 1) -> str:
    """Text that compresses badly: zlib makes it some 20 % shorter."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return "".join(random.Random(seed).choices(letters, k=size))


def of_size(size: int) -> str:
    """The text of an answer whose JSON has `size` bytes."""
    frame = len(answer("a", "").model_dump_json())
    return noise(size - frame)


def packing_to(size: int) -> str:
    """The text of an answer whose JSON compresses to about `size` bytes."""
    low, high = size, size * 2
    while high - low > 1:
        middle = (low + high) // 2
        packed = zlib.compress(answer("a", noise(middle)).model_dump_json().encode())
        low, high = (middle, high) if len(packed) <= size else (low, middle)
    return noise(low)


def place(backend, context, item_id="a"):
    key = keys.item_key(owner(context), "thr_1", item_id)
    row = backend.dynamodb.get_item(TableName=backend.table, Key=key)["Item"]
    (found,) = [name for name in bodies.PLACES if name in row]
    return found


@pytest.fixture
async def store(backend, ada):
    made = backend.store()
    await made.save_thread(thread(), ada)
    return made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(lambda: of_size(bodies.PLAIN_BYTES), "body", id="longest plain"),
        pytest.param(lambda: of_size(bodies.PLAIN_BYTES + 1), "packed", id="shortest compressed"),
        pytest.param(lambda: packing_to(bodies.ROW_BYTES), "packed", id="longest in the row"),
        pytest.param(lambda: packing_to(bodies.ROW_BYTES + 2 * KB), "spill", id="shortest spilled"),
        pytest.param(lambda: of_size(199 * KB - 1), None, id="199 KB - 1"),
        pytest.param(lambda: of_size(199 * KB), None, id="199 KB"),
        pytest.param(lambda: of_size(199 * KB + 1), None, id="199 KB + 1"),
        pytest.param(lambda: packing_to(199 * KB), "spill", id="199 KB compressed"),
        pytest.param(lambda: of_size(400 * KB - 1), "spill", id="400 KB - 1"),
        pytest.param(lambda: of_size(400 * KB), "spill", id="400 KB"),
        pytest.param(lambda: of_size(400 * KB + 1), "spill", id="400 KB + 1"),
        pytest.param(lambda: "a" * 20 * KB * KB, "packed", id="20 MB of one letter"),
        pytest.param(lambda: "é😀\u0000\u2028" * 100_000, "packed", id="a megabyte of Unicode"),
        pytest.param(lambda: noise(1000 * KB) * 20, "spill", id="20 MB of noise"),
    ],
)
async def test_an_item_of_any_size_is_loaded_as_it_was_saved(backend, store, ada, text, expected):
    saved = answer("a", text())
    await store.add_thread_item("thr_1", saved, ada)
    assert expected in {None, place(backend, ada)}
    assert await store.load_item("thr_1", "a", ada) == saved
    page = await backend.store().load_thread_items("thr_1", None, 5, "asc", ada)
    assert page.data == [saved]


async def test_an_item_that_grows_and_shrinks_has_one_body_in_one_place(backend, store, ada):
    for text in ("small", noise(40 * KB), noise(300 * KB), noise(40 * KB), "small"):
        saved = answer("a", text)
        await store.save_item("thr_1", saved, ada)
        place(backend, ada)
        assert await store.load_item("thr_1", "a", ada) == saved


@pytest.mark.parametrize("limit", [1, 7, 40])
async def test_pages_over_a_megabyte_are_complete(backend, store, ada, limit):
    items = [answer(f"a{n:02}", noise(130 * KB, n), created_at=at(n)) for n in range(24)]
    items += [answer("s", noise(300 * KB), created_at=at(50))]
    for item in items:
        await store.add_thread_item("thr_1", item, ada)
    found, after = [], None
    while True:
        page = await store.load_thread_items("thr_1", after, limit, "asc", ada)
        found += page.data
        if not page.has_more:
            break
        after = page.after
    assert found == items


async def test_a_page_costs_no_more_in_a_long_thread_than_in_a_short_one(
    backend, store, ada, meter
):
    """20 items take the same requests and read units on the first page and in the middle."""
    await store.save_thread(thread("long"), ada)
    for thread_id, count in (("thr_1", 21), ("long", 300)):
        for n in range(count):
            saved = answer(f"a{n:04}", "x" * 500, thread_id=thread_id, created_at=at(n))
            update, _ = await store._items.write(thread_id, saved, owner(ada))
            backend.dynamodb.update_item(TableName=backend.table, **update)

    async def cost(thread_id, after):
        meter.clear()
        page = await store.load_thread_items(thread_id, after, 20, "asc", ada)
        assert len(page.data) == 20
        return page.after, (sorted(meter.requests), meter.read_units)

    _, short = await cost("thr_1", None)
    assert short[0] == ["GetItem", "Query"]
    after = None
    for _ in range(14):
        after, again = await cost("long", after)
        assert again == short


async def test_a_crash_between_s3_and_the_table_leaves_the_thread_unchanged(
    backend, store, ada, monkeypatch
):
    """The body is written to S3 first, and nobody reads it before the row points to it."""
    old = answer("a", noise(300 * KB, 1))
    await store.add_thread_item("thr_1", old, ada)
    fault = ClientError({"Error": {"Code": "InternalServerError"}}, "TransactWriteItems")

    def fail(**_):
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(backend.dynamodb, "transact_write_items", fail)
        with pytest.raises(ClientError):
            await store.save_item("thr_1", answer("a", noise(300 * KB, 2)), ada)
        with pytest.raises(ClientError):
            await store.add_thread_item("thr_1", answer("b", noise(300 * KB, 3)), ada)
    assert len(backend.objects()) == 3
    assert await store.load_item("thr_1", "a", ada) == old
    page = await store.load_thread_items("thr_1", None, 9, "asc", ada)
    assert page.data == [old]


async def test_ids_of_two_thousand_characters_fit_beside_the_largest_body(backend, store, ada):
    """The row and its index entry together stay below DynamoDB's 400 KB."""
    saved = answer("é" * 2000, packing_to(bodies.ROW_BYTES - 4 * KB))
    await store.add_thread_item("thr_1", saved, ada)
    assert await store.load_item("thr_1", saved.id, ada) == saved
