"""One store, two engines: moto in this process everywhere, DynamoDB Local where Java is."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from functions.attachments import S3AttachmentStore, create_bucket
from functions.context import RequestContext
from functions.store import DynamoDBStore, create_table
from tests.dynamodb_local import engine

ENGINES = ("moto", "dynamodb-local")


@dataclass
class Backend:
    """A table and a bucket of one test, and what is needed to look inside."""

    engine: str
    dynamodb: Any
    s3: Any
    table: str = field(default_factory=lambda: f"chatkit-{uuid4().hex}")
    bucket: str = field(default_factory=lambda: f"chatkit-{uuid4().hex}")
    calls: list[str] = field(default_factory=list)

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

    def watch(self) -> list[str]:
        """The names of the requests to DynamoDB from here on, as they are sent."""
        self.calls = []
        self.dynamodb.meta.events.register(
            "before-send.dynamodb",
            lambda request, **_: self.calls.append(
                request.headers["X-Amz-Target"].decode().rpartition(".")[2]
            ),
        )
        return self.calls


@pytest.fixture(scope="session")
def dynamodb_local(pytestconfig):
    reason = engine.why_not()
    if reason:
        pytest.skip(reason)
    with engine.running(pytestconfig.cache.mkdir("dynamodb-local")) as endpoint:
        yield endpoint


@pytest.fixture(params=ENGINES)
def backend(request, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        if request.param == "moto":
            dynamodb = boto3.client("dynamodb", region_name="us-east-1")
        else:
            dynamodb = engine.connect(request.getfixturevalue("dynamodb_local"))
        made = Backend(request.param, dynamodb, s3)
        create_table(dynamodb, made.table)
        create_bucket(s3, made.bucket)
        yield made
        dynamodb.delete_table(TableName=made.table)


@pytest.fixture
def store(backend):
    return backend.store()


@pytest.fixture
def ada():
    return RequestContext(user_id="ada@example.com|#1")


@pytest.fixture
def bob():
    return RequestContext(user_id="bob")
