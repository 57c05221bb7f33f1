"""S3 over real HTTP, as a browser uses it: moto's server on a free loopback port."""

from dataclasses import dataclass
from typing import Any

import boto3
import httpx2
import pytest
from moto.server import ThreadedMotoServer

from functions import aws
from functions.attachments import S3AttachmentStore, create_bucket
from functions.context import RequestContext
from functions.store import DynamoDBStore, create_table

BUCKET = "chatkit-files"
TABLE = "chatkit"


@dataclass
class Place:
    dynamodb: Any
    s3: Any
    http: httpx2.AsyncClient

    def store(self, **options) -> DynamoDBStore:
        return DynamoDBStore(
            TABLE, client=self.dynamodb, bucket=BUCKET, s3_client=self.s3, **options
        )

    def files(self, **options) -> S3AttachmentStore:
        return S3AttachmentStore(BUCKET, client=self.s3, **options)

    def objects(self) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return [entry["Key"] for entry in found]


@pytest.fixture(scope="module")
def clients():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    access = {
        "endpoint_url": f"http://{host}:{port}",
        "region_name": "us-east-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
    yield {
        name: boto3.client(name, config=aws.config(name), **access) for name in ("dynamodb", "s3")
    }
    server.stop()


@pytest.fixture
async def place(clients):
    create_table(clients["dynamodb"], TABLE)
    create_bucket(clients["s3"], BUCKET)
    async with httpx2.AsyncClient() as http:
        made = Place(clients["dynamodb"], clients["s3"], http)
        yield made
    for key in made.objects():
        made.s3.delete_object(Bucket=BUCKET, Key=key)
    made.s3.delete_bucket(Bucket=BUCKET)
    made.dynamodb.delete_table(TableName=TABLE)


@pytest.fixture
def ada():
    return RequestContext(user_id="ada@example.com")


@pytest.fixture
def bob():
    return RequestContext(user_id="bob")
