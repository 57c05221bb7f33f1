"""The bundle that is deployed, as the events function, on the emulator."""

import asyncio
import threading
import time
from dataclasses import replace
from functools import partial

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from functions.aws.bucket import Bucket
from functions.store import DynamoDBStore
from infra.emulator.events import EventError, deliver
from infra.emulator.function import Function, ThrottledError
from infra.emulator.function_url import FunctionUrl
from infra.emulator.project import actions_configuration, bundle, events_configuration
from infra.emulator.server import Server
from infra.local import events as local
from tests.assistants.sample.features import items
from tests.support.person import KEY, Person
from tests.support.sample import with_sample
from tests.support.served import served


@pytest.fixture
def configuration(cloud):
    built = bundle("actions")
    return events_configuration(built.task_root, cloud, python=built.python)


@pytest.fixture
async def function(configuration):
    async with Function(configuration) as started:
        yield started


def removed(sort, partition):
    key = {"pk": {"S": partition}, "sk": {"S": sort}}
    change = {"Keys": key, "OldImage": key, "SequenceNumber": "1"}
    return {"eventSource": "aws:dynamodb", "eventName": "REMOVE", "dynamodb": change}


def created(key):
    return {"eventSource": "aws:s3", "s3": {"object": {"key": key}}}


async def test_the_bundle_handles_a_batch_of_the_stream(function):
    answer = await deliver(function, {"Records": [removed("THREAD#gone", "U#nobody")]})
    assert answer == {"batchItemFailures": []}, function.environments[0].output.decode()


async def test_an_event_that_fails_is_one_that_aws_delivers_again(function):
    with pytest.raises(EventError, match="an event of"):
        await deliver(function, {"Records": [{"eventSource": "aws:sqs"}]})


async def eventually(condition):
    deadline = time.monotonic() + 20
    while not await condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_what_happens_to_the_table_and_the_bucket_reaches_the_function(
    cloud, function, monkeypatch
):
    """As at `make lambda`: moto's own records and notifications, handled by the bundle."""
    monkeypatch.setattr(local, "PAUSE", 0.05)
    table, bucket = cloud["CHATKIT_TABLE"], Bucket(cloud["CHATKIT_ATTACHMENTS_BUCKET"])
    person = Person(None)
    thread = await person.thread()
    item = await person.shown(thread, items.card([]))
    key = {"pk": {"S": f"U#{person.user.id}#T#{thread.id}"}, "sk": {"S": f"ITEM#{item.id}"}}
    assert await person.store.table.get(key)

    async def purged():
        return await person.store.table.get(key) is None

    async def checked():
        return await bucket.head("uploads/u/not an image") is None

    async with local.events_delivered(partial(deliver, function), table=table, bucket=bucket.name):
        await DynamoDBStore(table, purge="stream").delete_thread(thread.id, person.context)
        await eventually(purged)
        await bucket.put("uploads/u/not an image", b"<html>", "image/png")
        await eventually(checked)


class Gate:
    """An S3 that answers nothing until it is opened, and then has no object."""

    def __init__(self):
        self.reached, self.opened = threading.Event(), threading.Event()
        self.app = Starlette(routes=[Route("/{path:path}", self.answer, methods=["HEAD"])])

    async def answer(self, _):
        self.reached.set()
        await asyncio.to_thread(self.opened.wait, 30)
        return Response(status_code=404)


async def test_stop_and_actions_are_answered_while_the_events_function_is_full(
    cloud, configuration
):
    """Each function has one slot, and a flood of uploads has taken that of the events function."""
    gate, cloud = Gate(), {**cloud, "CHATKIT_COOKIE_KEY": KEY}
    built = bundle("actions")
    actions = with_sample(actions_configuration(built.task_root, cloud, python=built.python))
    with served(gate.app) as s3:
        held = {**configuration.environment, "AWS_ENDPOINT_URL": s3}
        async with (
            Function(replace(configuration, environment=held, concurrency=1)) as events,
            Function(replace(actions, concurrency=1)) as quick,
            Server(FunctionUrl(quick, streaming=False).handle) as server,
            httpx2.AsyncClient(base_url=server.url, timeout=30, trust_env=False) as http,
        ):
            flood = [{"Records": [created(f"uploads/u/{number}")]} for number in range(20)]
            first = asyncio.create_task(deliver(events, flood[0]))
            assert await asyncio.to_thread(gate.reached.wait, 30)
            for event in flood[1:]:
                with pytest.raises(ThrottledError):
                    await deliver(events, event)

            person = Person(http)
            stored = await items.add_items(person.documents, ["milk"])
            item = await person.shown(await person.thread(), items.card(stored))
            stop = await person.post("/actions/cancel", {"run_id": "r"})
            await quick.settled()  # its slot is free when it has asked for the next request
            ticked = await person.press(item, "item.toggle", {"id": stored[0].id, "done": True})
            assert (stop.status_code, ticked.status_code) == (200, 200)
            assert not first.done()

            gate.opened.set()
            assert await first is None
            for event in flood[1:]:
                await events.settled()
                assert await deliver(events, event) is None
