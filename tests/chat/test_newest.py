"""What a turn knows of a thread's newest items, in the order that the table lists them."""

import time
from datetime import datetime, timedelta

import boto3
import pytest
from chatkit.types import HiddenContextItem, ThreadMetadata
from moto import mock_aws

from functions.chat.checks import Checked
from functions.chat.newest import NewestItems
from functions.chat.turn_store import TurnStore
from functions.context import RequestContext
from functions.store import DynamoDBStore, Quota, Run, create_table

ADA = RequestContext(user_id="ada")
NOON = datetime(2026, 1, 1, 12)


def item(name, minute):
    return HiddenContextItem(
        id=name, thread_id="t", created_at=NOON + timedelta(minutes=minute), content=name
    )


MESSAGES = [item(f"m{i}", i) for i in range(10)]


@pytest.fixture
def opened(monkeypatch):
    """A turn that has read the newest `limit` of ten messages, and claimed its run."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")

    async def open_turn(limit):
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_table(client, "t")
        store = DynamoDBStore("t", client=client)
        await store.save_thread(ThreadMetadata(id="t", created_at=NOON), ADA)
        for message in MESSAGES:
            await store.add_thread_item("t", message, ADA)
        quota = Quota("t", per_user=None, per_day=None, client=client)
        thread, read_items = await store.open_turn("t", limit, ADA)
        checked = Checked("t", thread, NewestItems(read_items))
        turn = TurnStore(store, quota, Run("r", "t", time.time() + 60), checked)
        await turn.begin(ADA)
        return turn

    with mock_aws():
        yield open_turn


async def read(turn, limit):
    page = await turn.load_thread_items("t", None, limit, "desc", ADA)
    return [each.id for each in page.data], page.after


@pytest.mark.parametrize("write", ["save_item", "add_thread_item"])
async def test_an_old_item_that_is_written_again_keeps_its_place(opened, write):
    turn = await opened(3)
    await getattr(turn, write)("t", MESSAGES[0], ADA)
    assert await read(turn, 3) == (["m9", "m8", "m7"], "m7")
    assert await read(turn, 1) == (["m9"], "m9")


async def test_an_item_of_the_page_that_is_written_again_keeps_its_place_too(opened):
    turn = await opened(3)
    await turn.save_item("t", MESSAGES[8].model_copy(update={"content": "changed"}), ADA)
    page = await turn.load_thread_items("t", None, 3, "desc", ADA)
    assert [each.id for each in page.data] == ["m9", "m8", "m7"]
    assert page.data[1].content == "changed"


async def test_of_items_created_at_once_the_one_before_the_page_is_not_taken_for_a_new_one(opened):
    turn = await opened(3)
    await turn.save_item("t", item("m6", 7), ADA)  # ties are ordered by id
    assert (await read(turn, 3))[0] == ["m9", "m8", "m7"]


@pytest.mark.parametrize("minute", [60, -60])
async def test_a_new_item_comes_first_also_where_the_clock_is_behind(opened, minute):
    turn = await opened(3)
    thread = await turn.load_thread("t", ADA)
    new = item(turn.generate_item_id("message", thread, ADA), minute)
    await turn.add_thread_item("t", new, ADA)
    assert (await read(turn, 3))[0] == [new.id, "m9", "m8"]


async def test_an_item_that_a_whole_thread_did_not_have_is_new(opened):
    turn = await opened(10)
    await turn.add_thread_item("t", item("unheard of", -1), ADA)
    assert (await read(turn, 2))[0] == ["unheard of", "m9"]
