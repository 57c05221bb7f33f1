"""When S3 fails: bodies and files are retried within a bound, and nothing is half-written."""

from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.retries.quota import RetryQuota
from botocore.retries.standard import ExponentialBackoff
from moto.server import ThreadedMotoServer

from functions import aws
from functions.attachments import S3AttachmentStore, create_bucket
from functions.store import DynamoDBStore, create_table
from tests.dynamodb_local.proxy import FAULTS, proxying
from tests.integration.store.samples import answer, thread
from tests.integration.store.test_store_sizes import KB, noise

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
    hasty = aws.config("s3").merge(Config(read_timeout=0.5))
    return {
        "dynamodb": boto3.client("dynamodb", endpoint_url=proxy.upstream, **access),
        "s3": boto3.client("s3", endpoint_url=proxy.endpoint, config=hasty, **access),
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


@pytest.mark.parametrize("fault", ["500", "503", "cut", "lost answer", "hang"])
async def test_a_single_fault_of_s3_is_not_noticed(proxy, store, ada, fault):
    large = answer("a", noise(300 * KB, 2))
    proxy.faults = [FAULTS[fault]]
    await store.add_thread_item("thr_1", large, ada)
    assert proxy.faults == []
    proxy.faults = [FAULTS[fault]]
    assert await store.load_item("thr_1", "a", ada) == large
    assert proxy.faults == []


@pytest.mark.parametrize("fault", ["500", "cut"])
async def test_a_lasting_fault_of_s3_is_an_error_and_the_thread_stays_as_it_was(
    proxy, store, ada, fault
):
    before = store.table.client.scan(TableName=store.table.name)["Items"]
    files = S3AttachmentStore(store.bucket.name, client=store.bucket.client)
    for write in (
        lambda: store.add_thread_item("thr_1", answer("a", noise(300 * KB, 2)), ada),
        lambda: store.save_item("thr_1", answer("old", noise(300 * KB, 3)), ada),
        lambda: files.put_image("thr_1", "img", PNG, ada),
    ):
        proxy.reset()
        proxy.always = FAULTS[fault]
        with pytest.raises((ClientError, BotoCoreError)):
            await write()
        assert proxy.seen == aws.TOTAL_ATTEMPTS
    assert store.table.client.scan(TableName=store.table.name)["Items"] == before
    proxy.always = None
    assert (await store.load_item("thr_1", "old", ada)).content[0].text == noise(300 * KB)
