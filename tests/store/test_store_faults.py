"""Faults of AWS: a limited number of retries, no half-written data, no blocked event loop."""

import asyncio
import json
import logging
import time
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.retries.quota import RetryQuota
from botocore.retries.standard import ExponentialBackoff
from chatkit.store import NotFoundError
from chatkit.types import FileAttachment
from moto.server import ThreadedMotoServer

from functions import aws
from functions.aws.clients import MAX_ATTEMPTS, POOL
from functions.store import (
    DynamoDBStore,
    Records,
    Run,
    Runs,
    create_table,
)
from functions.store import table as table_module
from tests.store.samples import answer, at, message, thread
from tests.support.dynamodb_local.proxy import FAULTS, error, proxying

FILE = FileAttachment(id="file", name="a.txt", mime_type="text/plain")
SENT = FileAttachment(id="sent", name="a.txt", mime_type="text/plain", thread_id="thr_1")

ACCESS = {
    "region_name": "us-east-1",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}


@pytest.fixture(scope="module", params=["moto", "dynamodb-local"])
def proxy(request):
    if request.param == "dynamodb-local":
        with proxying(request.getfixturevalue("dynamodb_local")) as made:
            made.engine = request.param
            yield made
        return
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    with proxying("http://{}:{}".format(*server.get_host_and_port())) as made:
        made.engine = request.param
        yield made
    server.stop()


@pytest.fixture(scope="module")
def clients(proxy):
    """By name: a client as in production, one with a short timeout, and one with a long timeout."""
    config = aws.config("dynamodb")
    short, long = (config.merge(Config(read_timeout=seconds)) for seconds in (0.2, 60))
    reach = {"endpoint_url": proxy.endpoint, **ACCESS}
    return {
        "dynamodb": boto3.client("dynamodb", config=config, **reach),
        "short timeout": boto3.client("dynamodb", config=short, **reach),
        "long timeout": boto3.client("dynamodb", config=long, **reach),
    }


@pytest.fixture
async def store(proxy, clients, ada, monkeypatch):
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0)
    # botocore limits the retries of a client in total, and these tests would use them up.
    monkeypatch.setattr(RetryQuota, "acquire", lambda *_: True)
    monkeypatch.setattr(table_module, "CONFLICT_MAX_WAIT", 0)
    proxy.reset()
    name = f"faults-{uuid4().hex}"
    create_table(clients["dynamodb"], name)
    made = DynamoDBStore(name, client=clients["dynamodb"])
    await made.save_thread(thread(), ada)
    for n in range(3):
        await made.add_thread_item("thr_1", message(f"m{n}", created_at=at(n)), ada)
    await made.save_attachment(SENT, ada)
    proxy.reset()
    yield made
    proxy.released.set()
    proxy.reset()
    clients["dynamodb"].delete_table(TableName=name)


async def rename(store, context):
    found = await store.load_thread("thr_1", context)
    found.title = "Renamed"
    await store.save_thread(found, context)


OPERATIONS = {
    "load_thread": lambda store, ada: store.load_thread("thr_1", ada),
    "save_thread": lambda store, ada: store.save_thread(thread("new"), ada),
    "rename": rename,
    "load_threads": lambda store, ada: store.load_threads(9, None, "desc", ada),
    "load_thread_items": lambda store, ada: store.load_thread_items("thr_1", None, 2, "asc", ada),
    "load_item": lambda store, ada: store.load_item("thr_1", "m1", ada),
    "add_thread_item": lambda store, ada: store.add_thread_item("thr_1", answer("a"), ada),
    "delete_thread_item": lambda store, ada: store.delete_thread_item("thr_1", "m1", ada),
    "delete_thread": lambda store, ada: store.delete_thread("thr_1", ada),
    "read_turn": lambda store, ada: store.read_turn("thr_1", 9, ada),
    "open_turn": lambda store, ada: store.open_turn("thr_1", 9, ada),
    "save_feedback": lambda store, ada: store.save_feedback("thr_1", ["m1"], "positive", ada),
    "begin_run": lambda store, ada: store.begin_run(
        Run("r", "thr_1", time.time() + 60), ada, item=message("m9")
    ),
    "save_attachment": lambda store, ada: store.save_attachment(FILE, ada),
    "save_attachment (sent)": lambda store, ada: store.save_attachment(
        FILE.model_copy(update={"thread_id": "thr_1"}), ada
    ),
    "load_attachment": lambda store, ada: store.load_attachment("sent", ada),
    "delete_attachment": lambda store, ada: store.delete_attachment("sent", ada),
    "record": lambda store, ada: Records(store.table).put("todo", [1], ada, version=0),
    "cancel": lambda store, ada: Runs(store.table).cancel("r", ada),
}
QUICK = ["500", "503", "throttled", "limited", "cut"]
NEEDS_TOKENS = {"begin_run"}
"""Operations whose repetition only an idempotency token shows. moto does not keep these."""


def rows(store):
    found = store.table.client.scan(TableName=store.table.name)["Items"]
    return sorted((row["pk"]["S"], row["sk"]["S"], row.get("body", {}).get("S")) for row in found)


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        *[(operation, "lost answer") for operation in OPERATIONS],
        *[("load_thread", fault) for fault in QUICK],
        *[("begin_run", fault) for fault in QUICK],
    ],
)
async def test_a_single_fault_is_not_noticed(proxy, store, ada, operation, fault):
    if fault == "lost answer" and operation in NEEDS_TOKENS and proxy.engine == "moto":
        pytest.skip("moto keeps no idempotency tokens; DynamoDB Local does")
    proxy.faults = [FAULTS[fault]]
    await OPERATIONS[operation](store, ada)
    assert proxy.faults == []
    if operation in {"add_thread_item", "begin_run"}:
        assert len((await store.load_thread_items("thr_1", None, 9, "asc", ada)).data) == 4
    if operation == "delete_thread":
        with pytest.raises(NotFoundError):
            await store.load_thread("thr_1", ada)
    if operation == "rename":
        assert (await store.load_thread("thr_1", ada)).title == "Renamed"


@pytest.mark.parametrize(
    "case",
    [
        *[(operation, "500") for operation in OPERATIONS],
        *[("begin_run", fault) for fault in ("throttled", "cut", "hang")],
    ],
    ids=" ".join,
)
async def test_a_lasting_fault_is_raised_after_the_last_attempt_and_nothing_is_half_written(
    proxy, clients, store, ada, case
):
    operation, fault = case
    before = rows(store)
    proxy.reset()
    proxy.always = FAULTS[fault]
    failing = DynamoDBStore(store.table.name, client=clients["short timeout"])
    with pytest.raises((ClientError, BotoCoreError)):
        await OPERATIONS[operation](failing, ada)
    # At most two parallel requests: for a page, and for an item and its feedback.
    assert MAX_ATTEMPTS <= proxy.seen <= 2 * MAX_ATTEMPTS
    proxy.released.set()
    proxy.always = None
    assert rows(store) == before
    await OPERATIONS[operation](store, ada)


async def test_acknowledged_writes_exist_when_the_table_is_available_again(proxy, store, ada):
    acknowledged = []
    proxy.faults = [FAULTS["500"]] * MAX_ATTEMPTS + [FAULTS["cut"]] * MAX_ATTEMPTS
    for n in range(6):
        try:
            await store.add_thread_item("thr_1", answer(f"a{n}", created_at=at(10 + n)), ada)
        except (ClientError, BotoCoreError):
            continue
        acknowledged.append(f"a{n}")
    assert acknowledged == ["a2", "a3", "a4", "a5"]
    page = await store.load_thread_items("thr_1", None, 99, "asc", ada)
    assert [item.id for item in page.data] == ["m0", "m1", "m2", *acknowledged]


async def test_transactions_that_conflict_on_a_row_are_retried(proxy, store, ada):
    reasons = [{"Code": "TransactionConflict", "Message": "x"}, {"Code": "None"}]
    conflict = error(400, "TransactionCanceledException", CancellationReasons=reasons)
    proxy.faults = [conflict] * (table_module.MAX_CONFLICT_ATTEMPTS - 1)
    await store.add_thread_item("thr_1", answer("a"), ada)
    assert (await store.load_item("thr_1", "a", ada)).id == "a"
    proxy.reset()
    proxy.faults = [conflict] * table_module.MAX_CONFLICT_ATTEMPTS
    with pytest.raises(ClientError):
        await store.add_thread_item("thr_1", answer("b"), ada)
    assert proxy.seen == table_module.MAX_CONFLICT_ATTEMPTS


async def test_a_partly_throttled_batch_of_deletes_is_finished(proxy, store, ada):
    """`delete_thread` with a purge whose first batch is returned unprocessed."""

    def undone(handler, body):
        if b"DeleteRequest" not in body:
            proxy.faults.insert(0, undone)
            handler.answer(*handler.forward(body))
            return
        handler.answer(
            200, json.dumps({"UnprocessedItems": json.loads(body)["RequestItems"]}).encode()
        )

    proxy.faults = [undone]
    await store.delete_thread("thr_1", ada)
    assert proxy.faults == []
    left = store.table.client.scan(TableName=store.table.name)["Items"]
    assert [row["sk"]["S"] for row in left] == ["TOMBSTONE"]


def undone_get(handler, body):
    """The answer to a batch of which no row was read."""
    unprocessed = {"Responses": {}, "UnprocessedKeys": json.loads(body)["RequestItems"]}
    handler.answer(200, json.dumps(unprocessed).encode())


async def test_a_partly_throttled_batch_of_reads_is_finished_or_raises(proxy, store, ada):
    proxy.faults = [undone_get] * (table_module.MAX_CONFLICT_ATTEMPTS - 1)
    assert (await store.load_item("thr_1", "m1", ada)).id == "m1"
    proxy.reset()
    proxy.faults = [undone_get] * table_module.MAX_CONFLICT_ATTEMPTS
    with pytest.raises(TimeoutError):
        await store.load_item("thr_1", "m1", ada)
    assert proxy.seen == table_module.MAX_CONFLICT_ATTEMPTS


async def test_a_slow_request_does_not_block_the_event_loop(proxy, store, ada):
    """While a request is held back, all events of another stream arrive."""
    proxy.hold = True
    slow = asyncio.create_task(store.add_thread_item("thr_1", answer("a"), ada))
    assert await asyncio.to_thread(proxy.wait_held, 1)
    events = 0
    for _ in range(500):
        await asyncio.sleep(0)
        events += 1
    assert events == 500
    assert not slow.done()
    proxy.hold = False
    proxy.released.set()
    await slow
    assert (await store.load_item("thr_1", "a", ada)).id == "a"


async def test_another_streams_events_arrive_on_time_while_every_call_takes_300_ms(
    proxy, store, ada
):
    """Ten events 10 ms apart take less time than one call with a delay of 300 ms."""

    def late(handler, body):
        time.sleep(0.3)  # the added latency
        handler.answer(*handler.forward(body))

    proxy.always = late
    writing = asyncio.create_task(store.add_thread_item("thr_1", answer("a"), ada))
    events = 0
    while not writing.done():
        await asyncio.sleep(0.01)
        events += 1
    await writing
    assert events >= 10


async def test_as_many_calls_run_in_parallel_as_the_pool_has_threads(proxy, clients, store, ada):
    proxy.hold = True
    waiting = DynamoDBStore(store.table.name, client=clients["long timeout"])
    calls = [asyncio.create_task(waiting.load_thread("thr_1", ada)) for _ in range(POOL + 5)]
    assert await asyncio.to_thread(proxy.wait_held, POOL)
    assert proxy.held == POOL
    proxy.hold = False
    proxy.released.set()
    assert {found.id for found in await asyncio.gather(*calls)} == {"thr_1"}


async def test_no_users_text_is_logged_when_a_request_fails(proxy, store, ada, caplog):
    proxy.always = FAULTS["500"]
    with caplog.at_level(logging.INFO), pytest.raises(ClientError):
        await store.add_thread_item("thr_1", answer("a", "the secret text"), ada)
    assert "secret" not in caplog.text
