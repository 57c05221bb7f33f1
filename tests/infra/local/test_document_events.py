"""The events of documents on this machine come again as in AWS, and hold nothing else up."""

import asyncio
import threading
from urllib.parse import unquote

import pytest

from functions.aws.clients import client
from functions.settings import get_settings
from infra.local import document_reader, events
from tests.support.cloud import own_cloud

KEY = "knowledge/a.md"


@pytest.fixture(scope="module")
def bucket():
    with pytest.MonkeyPatch.context() as patch, own_cloud(patch, CHATKIT_KNOWLEDGE="true"):
        yield get_settings().attachments_bucket


class Reader:
    """Takes events, and fails as often as it is told."""

    def __init__(self, fails):
        self.bodies, self.fails = [], fails

    async def __call__(self, event):
        (record,) = event["Records"]
        assert record["eventSource"] == "aws:sqs"
        self.bodies.append(record["body"])
        self.fails -= 1
        if self.fails == 1:
            raise RuntimeError
        failed = [{"itemIdentifier": record["messageId"]}] if self.fails >= 0 else []
        return {"batchItemFailures": failed}


@pytest.mark.parametrize(("fails", "times"), [(2, 3), (99, 4)])
async def test_an_event_comes_again_until_it_is_handled_or_given_up(
    bucket, monkeypatch, fails, times
):
    monkeypatch.setattr(events, "AGAIN", (0,))
    monkeypatch.setattr(events, "DOCUMENT_ATTEMPTS", 4)
    await events._Pump(None, get_settings().table, bucket, documents=True)._subscribe()
    queue = await events._queue(events.document_queue(bucket))
    reader = Reader(fails)
    documents = events._Documents(reader, bucket)
    while await documents._deliver(queue):
        pass
    reader.bodies, reader.fails = [], fails
    client("s3").put_object(Bucket=bucket, Key=KEY, Body=b"x")
    client("s3").put_object(Bucket=bucket, Key="knowledge-index/other", Body=b"x")
    while await documents._deliver(queue):
        pass
    assert len(reader.bodies) == times
    assert all(KEY in unquote(body) for body in reader.bodies)


async def test_a_long_document_holds_up_no_answer(bucket, monkeypatch):
    release = threading.Event()

    async def handle(event, left):
        assert 0 < left() <= document_reader.SECONDS
        release.wait()  # blocks its loop, which is not ours
        return {"batchItemFailures": []}

    reader = document_reader.DocumentReader(get_settings())
    monkeypatch.setattr(reader._events, "handle", handle)
    reading = asyncio.create_task(reader({"Records": []}))
    await asyncio.sleep(0)
    release.set()
    assert await reading == {"batchItemFailures": []}
