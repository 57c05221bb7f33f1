"""Parallel writers over HTTP, on AWS's own engine: no write is lost, all agree on the order."""

import asyncio
import time
from uuid import uuid4

import boto3
import pytest

from functions import aws
from functions.context import RequestContext
from functions.limit_table import LimitTable
from functions.limits import Limits, OverLimit, Use
from functions.store import (
    Conflict,
    DynamoDBStore,
    Records,
    Run,
    RunAlreadyStarted,
    create_table,
)
from tests.store.samples import answer, at, message, thread

WRITERS = 12
EACH = 5


@pytest.fixture
def stores(dynamodb_local):
    """Stores with a client each, like parallel Lambda functions."""
    reach = {
        "endpoint_url": dynamodb_local,
        "region_name": "us-east-1",
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
    }
    clients = [boto3.client("dynamodb", config=aws.config("dynamodb"), **reach) for _ in range(3)]
    name = f"crowd-{uuid4().hex}"
    create_table(clients[0], name)
    yield [DynamoDBStore(name, client=client) for client in clients]
    clients[0].delete_table(TableName=name)


async def everything(store, context, thread_id, order):
    found, after = [], None
    while True:
        page = await store.load_thread_items(thread_id, after, 17, order, context)
        found += [item.id for item in page.data]
        if not page.has_more:
            return found
        after = page.after


async def test_many_writers_on_one_thread_lose_nothing_and_agree_on_the_order(stores, ada):
    await stores[0].save_thread(thread(), ada)

    async def write(writer):
        store = stores[writer % len(stores)]
        for n in range(EACH):
            item = answer(f"w{writer:02}-{n}", created_at=at(n // 2))
            await store.add_thread_item("thr_1", item, ada)
            await store.save_item("thr_1", item.model_copy(update={"content": []}), ada)

    await asyncio.gather(*(write(writer) for writer in range(WRITERS)))
    ascending = await everything(stores[0], ada, "thr_1", "asc")
    assert len(ascending) == WRITERS * EACH
    times = [int(item_id[-1]) // 2 for item_id in ascending]
    assert times == sorted(times)
    for writer in range(WRITERS):  # of one time, in the order of their first write
        own = [item_id for item_id in ascending if item_id.startswith(f"w{writer:02}-")]
        assert own == sorted(own)
    assert await everything(stores[1], ada, "thr_1", "desc") == ascending[::-1]


async def test_parallel_writes_to_threads_of_many_users_do_not_mix(stores):
    async def live(user):
        context = RequestContext(user_id=f"user {user}")
        store = stores[user % len(stores)]
        for n in range(3):
            await store.save_thread(thread(f"t{n}", created_at=at(n)), context)
        await asyncio.gather(
            *(
                store.add_thread_item(
                    f"t{n % 3}", message(f"m{n}", str(user), created_at=at(n)), context
                )
                for n in range(9)
            )
        )
        return context, store

    lives = await asyncio.gather(*(live(user) for user in range(10)))
    for user, (context, store) in enumerate(lives):
        assert len((await store.load_threads(9, None, "desc", context)).data) == 3
        for n in range(3):
            page = await store.load_thread_items(f"t{n}", None, 9, "asc", context)
            assert [item.id for item in page.data] == [f"m{n}", f"m{n + 3}", f"m{n + 6}"]
            assert {item.content[0].text for item in page.data} == {str(user)}


async def test_parallel_changes_of_different_fields_are_all_kept(stores, ada):
    await stores[0].save_thread(thread(), ada)
    loaded = [await store.load_thread("thr_1", ada) for store in stores for _ in range(5)]

    async def change(n, found):
        found.metadata[f"k{n}"] = n
        await stores[n // 5].save_thread(found, ada)

    await asyncio.gather(*(change(n, found) for n, found in enumerate(loaded)))
    stored = await stores[0].load_thread("thr_1", ada)
    assert stored.metadata == {f"k{n}": n for n in range(15)}


async def test_a_thread_deleted_under_many_writers_stays_deleted(stores, ada):
    await stores[0].save_thread(thread(), ada)
    await stores[0].add_thread_item("thr_1", answer("first"), ada)
    written = asyncio.Event()

    async def write(writer):
        for n in range(10):
            await stores[writer % 3].add_thread_item("thr_1", answer(f"w{writer}-{n}"), ada)
            written.set()

    async def delete():
        await written.wait()
        await stores[0].delete_thread("thr_1", ada)

    results = await asyncio.gather(delete(), *(write(n) for n in range(8)), return_exceptions=True)
    assert results[0] is None
    await stores[0]._purge.thread("U#ada%40example.com%7C%231#T#thr_1")
    left = stores[0].table.client.scan(TableName=stores[0].table.name)["Items"]
    assert [row["sk"]["S"] for row in left] == ["TOMBSTONE"]


async def test_of_many_parallel_claims_of_a_run_id_one_succeeds(stores, ada):
    await stores[0].save_thread(thread(), ada)

    async def start(n):
        run = Run("r", "thr_1", time.time() + 60)
        try:
            await stores[n % 3].begin_run(run, ada, item=message(f"m{n}"))
        except RunAlreadyStarted:
            return 0
        return 1

    assert sum(await asyncio.gather(*(start(n) for n in range(12)))) == 1
    assert len((await stores[0].load_thread_items("thr_1", None, 99, "asc", ada)).data) == 1


async def test_a_limit_lets_exactly_as_many_pass_from_parallel_functions(stores, ada):
    table = LimitTable.model_validate({"person": {"messages_per_day": 7}})

    async def spend(n):
        try:
            await Limits(table, stores[n % 3].table).spend(ada, Use(messages=1))
        except OverLimit:
            return 0
        return 1

    assert sum(await asyncio.gather(*(spend(n) for n in range(100)))) == 7


async def test_parallel_changes_of_a_record_are_all_kept(stores, ada):
    async def append(n):
        records = Records(stores[n % 3].table)
        while True:
            value, version = await records.get("list", ada)
            try:
                await records.put("list", [*(value or []), n], ada, version=version)
            except Conflict:
                continue
            return

    await asyncio.gather(*(append(n) for n in range(10)))
    value, _ = await Records(stores[0].table).get("list", ada)
    assert sorted(value) == list(range(10))
