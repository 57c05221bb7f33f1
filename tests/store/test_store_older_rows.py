"""Rows and objects as version 0.1 wrote them are read, listed, continued, exported and deleted.

`rows_of_0_1.json` was written by the store of 2026-11-22: a thread with a file, two answers of one
time, a packed and a spilled body, feedback, a record, and a deleted thread that is not purged yet.
"""

import base64
import json
from datetime import datetime
from pathlib import Path

import pytest
from chatkit.types import UserMessageItem

from functions.context import RequestContext
from functions.store import Records, keys
from tests.store.samples import answer

ADA = RequestContext(user_id="anon_ada")
ROWS = Path(__file__).with_name("rows_of_0_1.json")
ONE_TIME = datetime(2026, 11, 22, 12, 1)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(24)


def read(value):
    if isinstance(value, dict):
        if value.keys() == {"base64"}:
            return base64.b64decode(value["base64"])
        return {name: read(inner) for name, inner in value.items()}
    return [read(inner) for inner in value] if isinstance(value, list) else value


@pytest.fixture
def old(backend):
    """A store of this version over what version 0.1 has left."""
    kept = json.loads(ROWS.read_text().replace("the-files", backend.bucket))
    for row in read(kept["rows"]):
        backend.dynamodb.put_item(TableName=backend.table, Item=row)
    for key, data in read(kept["objects"]).items():
        backend.s3.put_object(Bucket=backend.bucket, Key=key, Body=data, ContentType="image/png")
    return backend.store()


async def items(store, order="asc", limit=99):
    return (await store.load_thread_items("thr_1", None, limit, order, ADA)).data


async def test_they_are_listed_and_read_in_their_order(old):
    (thread,) = (await old.load_threads(9, None, "desc", ADA)).data
    assert (thread.id, thread.title, thread.metadata) == ("thr_1", "Milk", {"kind": "shop"})
    found = await items(old)
    assert [item.id for item in found] == ["msg_1", "msg_2", "msg_3", "msg_4", "msg_5"]
    assert [len(item.content[0].text) for item in found[3:]] == [32_000, 600]
    assert isinstance(found[0], UserMessageItem)
    (file,) = found[0].attachments
    assert (await old.load_attachment(file.id, ADA)).name == "cat.png"
    assert [mark.item_id for mark in await old.load_feedback("thr_1", ADA)] == ["msg_2"]
    assert await Records(old.table).get("todo", ADA) == ({"items": ["milk"]}, 1)
    # Page by page, too.
    page, seen = await old.load_thread_items("thr_1", None, 2, "asc", ADA), []
    while True:
        seen += [item.id for item in page.data]
        if not page.has_more:
            break
        page = await old.load_thread_items("thr_1", page.after, 2, "asc", ADA)
    assert seen == [item.id for item in found]


async def test_a_conversation_goes_on_and_nothing_of_it_moves(old):
    turn = await old.read_turn("thr_1", 9, ADA)
    assert turn.running is None
    # Of the same time as two others: the new one comes behind them, whatever its id.
    new = answer("msg_0", "New.", thread_id="thr_1", created_at=ONE_TIME)
    await old.add_thread_item("thr_1", new, ADA)
    changed = (await items(old))[1]
    changed.content[0].text = "Changed."
    await old.save_item("thr_1", changed, ADA)
    found = await items(old)
    order = ["msg_1", "msg_2", "msg_3", "msg_0", "msg_4", "msg_5"]
    assert [item.id for item in found] == order
    assert found[1].content[0].text == "Changed."
    await old.save_feedback("thr_1", ["msg_3"], "negative", ADA)
    assert len(await old.load_feedback("thr_1", ADA)) == 2


async def test_all_of_it_is_exported_and_deleted(backend, old):
    exported = [entry async for entry in old.export_user("anon_ada")]
    kinds = sorted(entry["type"] for entry in exported)
    assert kinds == ["attachment", "feedback", *["item"] * 5, "record", "thread"]
    await old.delete_user("anon_ada")
    assert {row["sk"]["S"] for row in backend.rows()} == {keys.TOMBSTONE}
    assert backend.objects() == []


async def test_the_sweep_finishes_a_deletion_and_removes_nothing_else(backend, old):
    before, objects = await items(old), backend.objects()
    swept = await old.sweep()
    assert (swept.rows, swept.failed) == (1, 0)
    assert not [row for row in backend.rows() if row["sk"]["S"].startswith(keys.GONE)]
    # Links are signed anew on each load.
    assert [(i.id, i.content) for i in await items(old)] == [(i.id, i.content) for i in before]
    assert backend.objects() == objects
