"""Every test that asks for `templates` runs on each variant of the stack.

A module of tests about roles has a fixture `template`: the stack whose functions run in moto.
"""

import asyncio
import secrets

import boto3
import httpx2
import pytest
from moto.server import ThreadedMotoServer

from functions.aws import clients, owner_sessions
from functions.context import RequestContext
from functions.store import DynamoDBStore
from infra.local.vectors import searchable_vectors
from tests.infra.stack.iam import Role
from tests.infra.stack.stage import (
    ACCOUNT,
    BUCKET,
    PNG,
    QUEUE,
    REGION,
    TABLE,
    VECTORS,
    Stage,
    large_text,
    upload,
)
from tests.infra.stack.variants import VARIANTS
from tests.support.chat import Chat, thread_of
from tests.support.cloud import own_cloud
from tests.support.openai_server import Call, OpenAIServer, Say
from tests.support.served import served

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/the-key"
ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.fixture(params=VARIANTS)
def templates(request, synth):
    return synth(**VARIANTS[request.param])


@pytest.fixture(scope="module")
def cloud():
    """moto with table, bucket and secrets, reached by an administrator."""
    with pytest.MonkeyPatch.context() as patch, searchable_vectors():
        # A moto of its own, because the one of local_cloud answers a single key, and no roles.
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        # All moto servers of a process share their state, and names are those of the template.
        httpx2.post(f"http://{host}:{port}/moto-api/reset").raise_for_status()
        own = {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_REGION": REGION,
            "CHATKIT_TABLE": TABLE,
            "CHATKIT_ATTACHMENTS_BUCKET": BUCKET,
        }
        with own_cloud(patch, **own) as environment:
            yield environment
        server.stop()
    clients._client.cache_clear()


@pytest.fixture(scope="module")
def names(template, cloud):
    """What the template's references stand for in moto."""
    vault = boto3.client("secretsmanager", region_name=REGION)
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}"
    described = boto3.client("dynamodb", region_name=REGION).describe_table(TableName=TABLE)
    stream = described["Table"]["LatestStreamArn"]
    names = {"AWS::Partition": "aws", "AWS::AccountId": ACCOUNT, "AWS::Region": REGION}
    for name, resource in template.resources.items():
        kind = resource["Type"]
        if kind == "AWS::DynamoDB::Table":
            names |= {name: TABLE, f"{name}.Arn": table, f"{name}.StreamArn": stream}
        elif kind == "AWS::S3::Bucket" and name.startswith("Files"):
            names |= {name: BUCKET, f"{name}.Arn": f"arn:aws:s3:::{BUCKET}"}
        elif kind == "AWS::SecretsManager::Secret":
            value = secrets.token_hex(32)
            names[name] = vault.create_secret(Name=name, SecretString=value)["ARN"]
        elif kind == "AWS::SQS::Queue":
            queue = QUEUE if name.startswith("EventsDeadLetters") else name
            boto3.client("sqs", region_name=REGION).create_queue(QueueName=queue)
            names[f"{name}.Arn"] = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"
        elif kind == "AWS::S3Vectors::VectorBucket":
            vectors = boto3.client("s3vectors", region_name=REGION)
            vectors.create_vector_bucket(vectorBucketName=VECTORS)
            arn = f"arn:aws:s3vectors:{REGION}:{ACCOUNT}:bucket/{VECTORS}"
            names[f"{name}.VectorBucketArn"] = arn
        elif kind == "AWS::Events::EventBus":
            bus = resource["Properties"]["Name"]
            made = boto3.client("events", region_name=REGION).create_event_bus(Name=bus)
            names |= {name: bus, f"{name}.Arn": made["EventBusArn"]}
        elif kind == "AWS::IAM::Role":
            names[f"{name}.Arn"] = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        elif kind == "AWS::KMS::Key":
            names[f"{name}.Arn"] = KEY
        elif kind == "AWS::Logs::LogGroup":
            names[f"{name}.Arn"] = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}"
    return names


@pytest.fixture(scope="module")
def model():
    return OpenAIServer()


@pytest.fixture(scope="module")
def model_url(model):
    with served(model.app) as url:
        yield f"{url}/v1"


@pytest.fixture(scope="module")
def stage(template, names, model, model_url):
    return Stage(template, names, model, model_url)


@pytest.fixture(scope="module")
def lived_in(stage, model):
    """Two threads of one visitor: one with a card, and one that was deleted."""
    everything = Role([ANYTHING], ACCOUNT)
    with stage.running("Chat", everything) as url:
        chat = Chat(url)
        model._answered = 0
        model.script = [Call("show_items", {"add": ["milk", "bread"]}), Say("Here.")]
        pressed_in = thread_of(chat.create("My list"))
        model.script = [Say("Yes.")]
        deleted = thread_of(chat.create(large_text()))
        given = {"name": "a.png", "size": len(PNG), "mime_type": "image/png"}
        file = chat.read("attachments.create", **given)
        upload(file["upload_descriptor"]["url"], everything, PNG, "image/png")
        chat.say(deleted, "Look", attachments=[file["id"]])
        user = chat.http.post("/chatkit/session").json()["user"]["id"]
        store = DynamoDBStore(TABLE, bucket=BUCKET, purge="stream")
        with owner_sessions.acting_for(user):
            asyncio.run(store.delete_thread(deleted, RequestContext(user_id=user)))
        shown = next(item for item in chat.items(pressed_in) if item["type"] == "widget")
    return chat, shown, user, deleted
