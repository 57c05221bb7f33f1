"""How AWS is called: what is read of its answers, and what the loop does meanwhile."""

import asyncio
import base64
import json

import boto3
import pytest
from botocore.parsers import JSONParser

from functions import aws

BINARY = {"B": base64.b64encode(b"\0\xff").decode()}
ROW = {
    "text": {"S": "a"},
    "number": {"N": "1.50"},
    "yes": {"BOOL": True},
    "nothing": {"NULL": True},
    "texts": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2"]},
    "binary": BINARY,
    "binaries": {"BS": [BINARY["B"]]},
    "list": {"L": [{"S": "a"}, BINARY]},
    "map": {"M": {"text": {"S": "a"}, "binary": BINARY}},
}
ANSWERS = [
    ("GetItem", 200, {"Item": ROW}),
    ("GetItem", 200, {}),
    ("Query", 200, {"Items": [ROW, ROW], "Count": 2, "LastEvaluatedKey": {"pk": {"S": "a"}}}),
    ("BatchGetItem", 200, {"Responses": {"t": [ROW]}, "UnprocessedKeys": {}}),
    ("UpdateItem", 200, {"Attributes": ROW, "ConsumedCapacity": {"CapacityUnits": 1.0}}),
    (
        "TransactWriteItems",
        400,
        {
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "CancellationReasons": [{"Code": "ConditionalCheckFailed", "Item": ROW}],
        },
    ),
]


requests = []
"""Bodies that the server below was sent."""


@pytest.fixture
def at(monkeypatch):
    """A client of DynamoDB at a server that answers each request with what `answer` returns."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a")
    servers = []
    requests.clear()

    async def start(answer):
        async def serve(reader, writer):
            head = await reader.readuntil(b"\r\n\r\n")
            lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:] if line)
            length = {name.lower(): value for name, value in lines.items()}["content-length"]
            requests.append(await reader.readexactly(int(length)))
            status, body = await answer()
            writer.write(b"HTTP/1.1 %d .\r\ncontent-length: %d\r\n" % (status, len(body)))
            writer.write(b"connection: close\r\n\r\n" + body)
            writer.close()

        servers.append(await asyncio.start_server(serve, "127.0.0.1", 0))
        port = servers[0].sockets[0].getsockname()[1]
        return aws._client("dynamodb", "us-east-1", f"http://127.0.0.1:{port}")

    yield start
    for server in servers:
        server.close()


@pytest.mark.parametrize(("operation", "status", "answer"), ANSWERS)
async def test_answers_of_dynamodb_are_read_as_botocore_reads_them(at, operation, status, answer):
    body = json.dumps(answer).encode()

    async def reply():
        return status, body

    client = await at(reply)
    shape = client.meta.service_model.operation_model(operation)
    asked = {"RequestItems": {}} if operation == "BatchGetItem" else {}
    http = {"status_code": status, "headers": {}, "body": body, "context": {}}
    theirs = JSONParser().parse(http, shape.output_shape if status == 200 else _error(client))
    try:
        ours = await aws.call(client._make_api_call, operation_name=operation, api_params=asked)
    except client.exceptions.TransactionCanceledException as error:
        ours = error.response
    assert {name: ours.get(name) for name in answer if name != "__type"} == {
        name: theirs.get(name) for name in answer if name != "__type"
    }


def _error(client):
    return client.meta.service_model.shape_for("TransactionCanceledException")


async def test_a_request_says_that_it_leaves_before_it_is_answered(at):
    left = asyncio.Event()

    async def once_it_has_left():
        await asyncio.wait_for(left.wait(), 10)
        return 200, b"{}"

    client = await at(once_it_has_left)
    with aws.departing(left.set):
        asked = asyncio.create_task(aws.call(client.get_item, TableName="t", Key={}))
    await asked
    assert left.is_set()


async def test_only_calls_that_were_begun_inside_say_so(at):
    async def reply():
        return 200, b"{}"

    client, told = await at(reply), []
    with aws.departing(lambda: told.append(1)):
        inside = asyncio.create_task(aws.call(client.get_item, TableName="t", Key={}))
    await aws.call(client.get_item, TableName="t", Key={})
    await inside
    assert told == [1]


@pytest.mark.parametrize("size", [10, 100_000])
async def test_a_request_that_said_so_is_sent_whole_and_can_be_sent_again(at, size):
    statuses, told = [500, 200], []

    async def reply():
        return statuses.pop(0), b"{}"

    client = await at(reply)
    item = {"pk": {"S": "a" * size}}
    with aws.departing(lambda: told.append(1)):
        await aws.call(client.put_item, TableName="t", Item=item)
    assert [json.loads(body) for body in requests] == [{"TableName": "t", "Item": item}] * 2
    assert len(told) == 2


def test_a_client_names_this_product_and_botocore_does_not_name_itself_anew_each_time():
    agent = aws._client("dynamodb", "us-east-1", None).meta.config.user_agent
    assert agent.startswith("chatkit-serverless/")
    assert f"Boto3/{boto3.__version__}" in agent
