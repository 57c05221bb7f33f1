"""A plain server stores thumbs up and down."""

import json
from datetime import datetime

import pytest
from chatkit.server import ChatKitServer
from chatkit.store import NotFoundError
from chatkit.types import EndOfTurnItem, ThreadMetadata

from functions.server import ServerMixin
from functions.store import MemoryStore

ADA, BOB = {"user_id": "ada"}, {"user_id": "bob"}
NOW = datetime(2026, 1, 2)


class Server(ServerMixin, ChatKitServer):
    async def respond(self, thread, input_user_message, context):
        return
        yield


class Forgetful:
    """A store of somebody else's: ChatKit's methods, and none for feedback."""

    def __init__(self, store):
        self.load_thread = store.load_thread


async def thumb(server, item_id, kind, context=ADA):
    params = {"thread_id": "thr_1", "item_ids": [item_id], "kind": kind}
    await server.process(json.dumps({"type": "items.feedback", "params": params}), context)


async def marks(store):
    return [(mark.item_id, mark.kind) for mark in await store.load_feedback("thr_1", ADA)]


async def test_the_last_thumb_of_an_item_is_stored(store):
    await store.save_thread(ThreadMetadata(id="thr_1", created_at=NOW), ADA)
    item = EndOfTurnItem(id="a", thread_id="thr_1", created_at=NOW)
    await store.add_thread_item("thr_1", item, ADA)
    for kind in ("positive", "negative"):
        await thumb(Server(store), "a", kind)
        assert await marks(store) == [("a", kind)]
    for unknown, context in (("never", ADA), ("x" * 10_000, ADA), ("a", BOB)):
        with pytest.raises(NotFoundError):
            await thumb(Server(store), unknown, "positive", context)
    assert await marks(store) == [("a", "negative")]


async def test_a_store_without_feedback_is_left_alone():
    await thumb(Server(Forgetful(MemoryStore())), "a", "positive")
