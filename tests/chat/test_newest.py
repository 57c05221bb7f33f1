"""A run sees the newest items of its thread in the order of the table."""

import time
from datetime import datetime, timedelta

import boto3
import pytest
from chatkit.types import HiddenContextItem, ThreadMetadata
from moto import mock_aws

from functions.chat.checks import Checked
from functions.chat.newest import NewestItems
from functions.chat.run_store import RunStore
from functions.context import RequestContext
from functions.store import DynamoDBStore, Run, create_table

ADA = RequestContext(user_id="ada")
NOON = datetime(2026, 1, 1, 12)


def item(name, minute):
    return HiddenContextItem(
        id=name, thread_id="t", created_at=NOON + timedelta(minutes=minute), content=name
    )


MESSAGES = [item(f"m{i}", i) for i in range(10)]


@pytest.fixture
def opened(monkeypatch):
    """`await opened(limit)` is the store of a claimed run that has read `limit` of ten messages."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")

    async def open_run(limit):
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_table(client, "t")
        store = DynamoDBStore("t", client=client)
        await store.save_thread(ThreadMetadata(id="t", created_at=NOON), ADA)
        for message in MESSAGES:
            await store.add_thread_item("t", message, ADA)
        thread, read_items = await store.open_turn("t", limit, ADA)
        checked = Checked("t", thread, NewestItems(read_items))
        run_store = RunStore(store, Run("r", "t", time.time() + 60), checked)
        await run_store.claim(ADA)
        return run_store

    with mock_aws():
        yield open_run


async def read(run_store, limit):
    page = await run_store.load_thread_items("t", None, limit, "desc", ADA)
    return [each.id for each in page.data], page.after


@pytest.mark.parametrize("write", ["save_item", "add_thread_item"])
async def test_an_old_item_keeps_its_place_when_it_is_written_again(opened, write):
    run_store = await opened(3)
    await getattr(run_store, write)("t", MESSAGES[0], ADA)
    assert await read(run_store, 3) == (["m9", "m8", "m7"], "m7")
    assert await read(run_store, 1) == (["m9"], "m9")


async def test_an_item_on_the_page_keeps_its_place_when_it_is_written_again(opened):
    run_store = await opened(3)
    await run_store.save_item("t", MESSAGES[8].model_copy(update={"content": "changed"}), ADA)
    page = await run_store.load_thread_items("t", None, 3, "desc", ADA)
    assert [each.id for each in page.data] == ["m9", "m8", "m7"]
    assert page.data[1].content == "changed"


async def test_an_older_item_with_the_same_time_as_the_last_one_stays_off_the_page(opened):
    run_store = await opened(3)
    await run_store.save_item("t", item("m6", 7), ADA)
    assert (await read(run_store, 3))[0] == ["m9", "m8", "m7"]


@pytest.mark.parametrize("minute", [60, -60])
async def test_a_new_item_comes_first_even_when_the_clock_is_behind(opened, minute):
    run_store = await opened(3)
    thread = await run_store.load_thread("t", ADA)
    new = item(run_store.generate_item_id("message", thread, ADA), minute)
    await run_store.add_thread_item("t", new, ADA)
    assert (await read(run_store, 3))[0] == [new.id, "m9", "m8"]


async def test_an_unknown_item_comes_first_when_the_whole_thread_was_read(opened):
    run_store = await opened(10)
    await run_store.add_thread_item("t", item("unknown", -1), ADA)
    assert (await read(run_store, 2))[0] == ["unknown", "m9"]
