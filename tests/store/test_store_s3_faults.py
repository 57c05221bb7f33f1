"""Faults of S3: a limited number of retries for bodies and files, and no half-written data."""

from typing import Final
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.retries.quota import RetryQuota
from botocore.retries.standard import ExponentialBackoff
from chatkit.types import AttachmentCreateParams, FileAttachment
from moto.server import ThreadedMotoServer

from functions import aws
from functions.attachments import S3AttachmentStore, create_bucket
from functions.aws.clients import MAX_ATTEMPTS
from functions.store import DynamoDBStore, create_table
from tests.store.samples import answer, thread
from tests.store.test_store_sizes import KB, noise
from tests.support.dynamodb_local.proxy import FAULTS, proxying

PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)


@pytest.fixture(scope="module")
def proxy():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    with proxying("http://{}:{}".format(*server.get_host_and_port())) as made:
        yield made
    server.stop()


@pytest.fixture(scope="module")
def clients(proxy):
    access = {
        "region_name": "us-east-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
    config = aws.config("s3").merge(Config(read_timeout=0.5))
    return {
        "dynamodb": boto3.client("dynamodb", endpoint_url=proxy.upstream, **access),
        "s3": boto3.client("s3", endpoint_url=proxy.endpoint, config=config, **access),
    }


@pytest.fixture
async def store(proxy, clients, ada, monkeypatch):
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0)
    monkeypatch.setattr(RetryQuota, "acquire", lambda *_: True)
    proxy.reset()
    name = f"faults-{uuid4().hex}"
    create_table(clients["dynamodb"], name)
    create_bucket(clients["s3"], name)
    made = DynamoDBStore(name, client=clients["dynamodb"], bucket=name, s3_client=clients["s3"])
    await made.save_thread(thread(), ada)
    await made.add_thread_item("thr_1", answer("old", noise(300 * KB)), ada)
    yield made
    proxy.released.set()
    proxy.reset()


@pytest.fixture
def files(store):
    return S3AttachmentStore(store.bucket.name, client=store.bucket.client)


@pytest.fixture
async def read_file(proxy, store, files, ada):
    """A function that reads a sent file."""
    kept = FileAttachment(id="atc_1", name="a.png", mime_type="image/png", thread_id="thr_1")
    await store.bucket.put(files.key(kept, ada), PNG, "image/png")
    proxy.reset()
    return lambda: files.read(kept, ada)


@pytest.mark.parametrize("fault", ["500", "503", "cut", "lost answer", "hang"])
async def test_a_single_fault_of_s3_is_retried(proxy, store, ada, fault):
    large = answer("a", noise(300 * KB, 2))
    proxy.faults = [FAULTS[fault]]
    await store.add_thread_item("thr_1", large, ada)
    assert proxy.faults == []
    proxy.faults = [FAULTS[fault]]
    assert await store.load_item("thr_1", "a", ada) == large
    assert proxy.faults == []


@pytest.mark.parametrize("fault", ["cut body", "hang body"])
async def test_a_body_that_breaks_off_once_is_read_again(proxy, store, read_file, ada, fault):
    proxy.faults = [FAULTS[fault]]
    assert (await store.load_item("thr_1", "old", ada)).content[0].text == noise(300 * KB)
    assert proxy.faults == []
    proxy.faults = [FAULTS[fault]]
    assert await read_file() == PNG
    assert proxy.faults == []


@pytest.mark.parametrize("fault", ["cut body", "hang body"])
async def test_a_body_that_breaks_off_each_time_raises(proxy, read_file, fault):
    proxy.always = FAULTS[fault]
    with pytest.raises(BotoCoreError):
        await read_file()
    assert proxy.seen == MAX_ATTEMPTS


@pytest.mark.parametrize(
    ("faults", "attempts"),
    [
        (["500", "cut body", "500", "cut body"], 4),
        (["500", "500", "cut body"], 3),
        (["cut body", "cut body", "500", "500", "500"], 5),
    ],
)
async def test_reading_a_body_takes_at_most_the_documented_attempts(
    proxy, read_file, faults, attempts
):
    proxy.faults = [FAULTS[fault] for fault in faults]
    with pytest.raises((ClientError, BotoCoreError)):
        await read_file()
    assert proxy.seen == attempts  # at most 5, by the table in functions/aws/clients.py


@pytest.fixture
async def uploaded(store, files, ada):
    """An uploaded file that is about to be sent, and a function that reads the kept file."""
    announced = AttachmentCreateParams(name="a.png", size=len(PNG), mime_type="image/png")
    made = await files.create_attachment(announced, ada)
    await store.save_attachment(made, ada)
    await store.bucket.put(files.key(made, ada), PNG, "image/png")
    carried = made.model_copy(update={"thread_id": "thr_1"})
    return carried, lambda: files.read(carried, ada)


ARRIVAL: Final = ["is it kept", "is it there", "what is it", "keep it"]
"""The requests to S3 when a message with a file is sent."""


@pytest.mark.parametrize("before", range(len(ARRIVAL)), ids=ARRIVAL)
async def test_a_file_arrives_though_s3_fails_once(proxy, store, uploaded, ada, before):
    file, read = uploaded
    proxy.reset()
    proxy.passing, proxy.faults = before, [FAULTS["500"]]
    await store.save_attachment(file, ada)
    assert proxy.seen == len(ARRIVAL) + 1
    assert await read() == PNG


@pytest.mark.parametrize("before", range(len(ARRIVAL)), ids=ARRIVAL)
async def test_a_file_that_could_not_arrive_while_s3_failed_can_be_sent_again(
    proxy, store, uploaded, ada, before
):
    file, read = uploaded
    rows = store.table.client.scan(TableName=store.table.name)["Items"]
    proxy.reset()
    proxy.passing, proxy.always = before, FAULTS["500"]
    with pytest.raises((ClientError, BotoCoreError)):
        await store.save_attachment(file, ada)
    assert proxy.seen == before + MAX_ATTEMPTS
    assert store.table.client.scan(TableName=store.table.name)["Items"] == rows
    proxy.reset()
    await store.save_attachment(file, ada)
    assert await read() == PNG


@pytest.mark.parametrize("fault", ["500", "cut"])
async def test_a_lasting_fault_of_s3_raises_and_leaves_the_thread_unchanged(
    proxy, store, files, ada, fault
):
    before = store.table.client.scan(TableName=store.table.name)["Items"]
    for write in (
        lambda: store.add_thread_item("thr_1", answer("a", noise(300 * KB, 2)), ada),
        lambda: store.save_item("thr_1", answer("old", noise(300 * KB, 3)), ada),
        lambda: files.put_image("thr_1", "img", PNG, ada),
    ):
        proxy.reset()
        proxy.always = FAULTS[fault]
        with pytest.raises((ClientError, BotoCoreError)):
            await write()
        assert proxy.seen == MAX_ATTEMPTS
    assert store.table.client.scan(TableName=store.table.name)["Items"] == before
    proxy.always = None
    assert (await store.load_item("thr_1", "old", ada)).content[0].text == noise(300 * KB)
