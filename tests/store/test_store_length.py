"""A page costs the same in a long thread as in a short one, on the engine that meters it."""

import asyncio
from uuid import uuid4

import pytest

from functions import aws
from functions.aws.keys import owner
from functions.store import DynamoDBStore, create_table
from tests.store.samples import answer, at, thread
from tests.support.dynamodb_local import engine
from tests.support.dynamodb_local.meter import metered

SHORT = 60
LONG = 4_000
"""Two megabytes; one answer of DynamoDB holds one. A read that grows with the thread shows here."""
VERY_LONG = 100_000
PAGE = 20
WRITERS = 4


async def fill(store, context, thread_id, count):
    """Write items in batches, with the store's own rows."""
    await store.save_thread(thread(thread_id), context)

    async def row(number):
        item = answer(f"a{number:06}", "x" * 200, thread_id=thread_id, created_at=at(number))
        update, _ = await store._items.write(thread_id, item, owner(context))
        values = update["ExpressionAttributeValues"].items()
        return {**update["Key"], **{name.removeprefix(":"): value for name, value in values}}

    async def write(first):
        for start in range(first * 25, count, WRITERS * 25):
            rows = [await row(n) for n in range(start, min(start + 25, count))]
            answered = await aws.call(
                store.table.client.batch_write_item,
                RequestItems={store.table.name: [{"PutRequest": {"Item": each}} for each in rows]},
            )
            assert not answered["UnprocessedItems"]

    await asyncio.gather(*(write(first) for first in range(WRITERS)))


@pytest.fixture(params=[LONG, pytest.param(VERY_LONG, marks=pytest.mark.soak)])
def length(request):
    return request.param


@pytest.fixture
def client(dynamodb_local, pytestconfig, length):
    """A client of a separate engine for the long form, because many rows slow an engine down."""
    if length < VERY_LONG:
        yield engine.connect(dynamodb_local)
        return
    with engine.running(pytestconfig.cache.mkdir("dynamodb-local")) as endpoint:
        yield engine.connect(endpoint)


@pytest.fixture
def name(client):
    made = f"length-{uuid4().hex}"
    create_table(client, made)
    yield made
    client.delete_table(TableName=made)


async def test_a_page_costs_the_same_in_a_thread_of_60_items_and_in_a_long_one(
    client, name, length, ada
):
    """Requests and read units, first page, last and middle, both orders, either kind of cursor."""
    store = DynamoDBStore(name, client=client)
    await fill(store, ada, "thr_short", SHORT)
    await fill(store, ada, "thr_long1", length)
    await fill(store, ada, "thr_page1", PAGE)

    async def costs(thread_id, count):
        """The costs of the first page, the second, and one in the middle by another process."""
        found = {}
        for order in ("asc", "desc"):
            steps = [f"a{n:06}" for n in range(count)]
            steps = steps if order == "asc" else steps[::-1]
            middle = steps[count // 2]
            reader = DynamoDBStore(name, client=client)
            for place, after in (("first", None), ("second", steps[PAGE - 1]), ("middle", middle)):
                meter.clear()
                page = await reader.load_thread_items(thread_id, after, PAGE, order, ada)
                start = steps.index(after) + 1 if after else 0
                assert [item.id for item in page.data] == steps[start : start + PAGE]
                assert page.has_more
                found[order, place] = (sorted(meter.requests), meter.read_units)
        return found

    with metered(client) as meter:
        short, long = await costs("thr_short", SHORT), await costs("thr_long1", length)
        meter.clear()
        assert (
            len((await store.load_thread_items("thr_page1", None, PAGE, "asc", ada)).data) == PAGE
        )
        assert (sorted(meter.requests), meter.read_units) == long["asc", "first"]
    assert long == short
    assert {tuple(requests) for requests, _ in short.values()} == {
        ("GetItem", "Query"),
        ("GetItem", "GetItem", "Query"),
    }
    assert all(0 < units < 20 for _, units in short.values())
