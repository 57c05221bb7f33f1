"""A table and a bucket in the memory of this process: moto without HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final
from uuid import uuid4

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from moto.core.botocore_stubber import BotocoreStubber

from ...attachments import create_bucket
from ...aws.bucket import Bucket
from ...aws.clients import config
from ...store import Table
from ...store.schema import TABLE

REGION: Final = "us-east-1"


class _Moto:
    """Answers the requests of our clients, one at a time: moto does not isolate transactions.

    `mock_aws` would answer those of every client of the process, and change its environment.
    """

    def __init__(self) -> None:
        self._moto = BotocoreStubber()
        self._moto.enabled = True
        self._one_at_a_time = threading.Lock()

    def answer(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
        with self._one_at_a_time:
            answer = self._moto(event_name, request)
        if answer is None:
            raise RuntimeError("moto does not know this request, which must not leave the process")
        return answer


_moto = _Moto()


@cache
def _client(service: str) -> Any:
    """boto3's client, which neither the environment nor a profile changes. Slow to make."""
    session = boto3.Session("nobody", "nothing", region_name=REGION)
    own = Config(ignore_configured_endpoint_urls=True)
    client = session.client(service, config=config(service).merge(own))
    client.meta.events.register_first("before-send", _moto.answer)
    return client


@contextmanager
def table_and_bucket() -> Iterator[tuple[Table, Bucket]]:
    """A new table and a new bucket, which are gone after the block."""
    name = f"chat-{uuid4().hex}"
    table, bucket = Table(name, _client("dynamodb")), Bucket(name, _client("s3"))
    # Nothing reads the stream here, and moto copies it for each transaction.
    without_stream = {**TABLE, "StreamSpecification": {"StreamEnabled": False}}
    table.client.create_table(TableName=name, **without_stream)
    create_bucket(bucket.client, name)
    try:
        yield table, bucket
    finally:
        table.client.delete_table(TableName=name)
        for found in bucket.client.list_objects_v2(Bucket=name).get("Contents", []):
            bucket.client.delete_object(Bucket=name, Key=found["Key"])
        bucket.client.delete_bucket(Bucket=name)
