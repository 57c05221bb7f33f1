"""The store on two engines: moto in this process, and DynamoDB Local where there is Java."""

import threading
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from functions.attachments import S3AttachmentStore, create_bucket
from functions.context import RequestContext
from functions.store import DynamoDBStore, MemoryStore, create_table
from tests.support.dynamodb_local import engine
from tests.support.dynamodb_local.meter import metered

BY_REGION = Config(account_id_endpoint_mode="disabled")
"""moto serves the streams' endpoint of a region, not that of an account."""
ENGINES = ("moto", "dynamodb-local")


@dataclass
class Backend:
    """The table and the bucket of one test, and methods that look inside."""

    engine: str
    dynamodb: Any
    s3: Any
    streams: Any
    table: str = field(default_factory=lambda: f"chatkit-{uuid4().hex}")
    bucket: str = field(default_factory=lambda: f"chatkit-{uuid4().hex}")

    def store(self, **options: Any) -> DynamoDBStore:
        options = {"bucket": self.bucket, "s3_client": self.s3, **options}
        return DynamoDBStore(self.table, client=self.dynamodb, **options)

    def attachments(self, **options: Any) -> S3AttachmentStore:
        return S3AttachmentStore(self.bucket, client=self.s3, **options)

    def rows(self) -> list[dict[str, Any]]:
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.table)
        return [row for page in pages for row in page["Items"]]

    def objects(self) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def stream(self) -> list[dict[str, Any]]:
        """All records of the table's stream so far, in the shape that Lambda receives."""
        arn = self.dynamodb.describe_table(TableName=self.table)["Table"]["LatestStreamArn"]
        streams = self.streams
        records = []
        for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
            iterator = streams.get_shard_iterator(
                StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while iterator:
                page = streams.get_records(ShardIterator=iterator)
                records += page["Records"]
                iterator = page.get("NextShardIterator") if page["Records"] else None
        return records


class Memory:
    """In place of a `Backend`: one store in memory, which all "processes" share."""

    engine = "memory"

    def __init__(self) -> None:
        self._store = MemoryStore()

    def store(self, **options: Any) -> MemoryStore:
        return MemoryStore(**options) if options else self._store

    def rows(self) -> list[str]:
        return [repr(person) for person in self._store._people.values()]

    def objects(self) -> list[str]:
        return []


@pytest.fixture(scope="session")
def dynamodb_local(shared, pytestconfig):
    if reason := engine.why_not():
        pytest.skip(reason)
    return engine.of_the_run(shared, pytestconfig.cache.mkdir("dynamodb-local"))


def one_at_a_time(client):
    """The client with a lock: moto checks a condition and writes in two steps."""
    lock, update = threading.Lock(), client.update_item

    def update_item(**kwargs):
        with lock:
            return update(**kwargs)

    client.update_item = update_item
    return client


@pytest.fixture(scope="module")
def clients(pytestconfig):
    """boto3's clients. Making them takes longer than most tests."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        region = {"region_name": "us-east-1"}
        yield {
            "moto": (
                one_at_a_time(boto3.client("dynamodb", **region)),
                boto3.client("dynamodbstreams", config=BY_REGION, **region),
            ),
            "s3": boto3.client("s3", **region),
        }


@pytest.fixture(params=ENGINES)
def backend(request, clients):
    if request.param == "memory":
        yield Memory()
        return
    if request.param not in clients:
        endpoint = request.getfixturevalue("dynamodb_local")
        clients[request.param] = (
            engine.connect(endpoint),
            engine.connect(endpoint, "dynamodbstreams"),
        )
    dynamodb, streams = clients[request.param]
    made = Backend(request.param, dynamodb, clients["s3"], streams)
    create_table(made.dynamodb, made.table)
    create_bucket(made.s3, made.bucket)
    yield made
    made.dynamodb.delete_table(TableName=made.table)


@pytest.fixture
def store(backend):
    return backend.store()


@pytest.fixture
def ada():
    return RequestContext(user_id="ada@example.com|#1")


@pytest.fixture
def bob():
    return RequestContext(user_id="bob")


@pytest.fixture
def meter(backend):
    with metered(backend.dynamodb) as counting:
        yield counting
