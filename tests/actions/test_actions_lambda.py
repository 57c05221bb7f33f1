"""The handler that Lambda calls, with events as a Function URL, a stream and S3 send them."""

import asyncio
import base64
import importlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from functions.aws.bucket import Bucket
from functions.aws.clients import client
from functions.settings import get_settings
from functions.store import DynamoDBStore
from functions.web.identity.anonymous import COOKIE
from infra.emulator.function_url import make_event
from infra.emulator.wire import Request
from tests.assistants.sample.features import items
from tests.support.person import Person, request
from tests.support.speech import tone
from tests.support.tokens import session_token

ROOT = Path(__file__).parents[2]


class Environment:
    """An execution environment: the handler, imported once, in a separate thread."""

    def __init__(self):
        self.thread = ThreadPoolExecutor(1)
        self.handler = self.thread.submit(self.start).result()

    def start(self):
        sys.modules.pop("functions.actions.handler", None)
        return importlib.import_module("functions.actions.handler")

    def invoke(self, event):
        return self.thread.submit(
            self.handler.handler, json.loads(json.dumps(event)), None
        ).result()

    def call(self, *asked, **headers):
        answer = self.invoke(call(*asked, **headers))
        content = answer.get("body", "")
        answer["bytes"] = (
            base64.b64decode(content) if answer["isBase64Encoded"] else content.encode()
        )
        return answer


def call(method, path, body=b"", **headers):
    """A Function URL's event, in payload format 2.0."""
    if isinstance(body, dict):
        headers = {"content-type": "application/json", **headers}
        body = json.dumps(body).encode()
    http = Request(method, path, list(headers.items()), None)
    return make_event(http, body, "127.0.0.1", "https")


@pytest.fixture(scope="module")
def function(cloud):
    environment = Environment()
    yield environment
    environment.thread.shutdown()


@pytest.fixture
def grace():
    """A user whose requests reach the function as events."""
    return Person(None)


async def ticked(person):
    stored = await items.add_items(person.documents, ["milk"])
    item = await person.shown(await person.thread(), items.card(stored))
    return item, request(item, "item.toggle", {"id": stored[0].id, "done": True})


async def test_an_action_through_the_function_url_is_stored(function, grace):
    item, body = await ticked(grace)
    answer = function.call("POST", "/actions", body, **grace.headers)
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"] == "application/json"
    assert not answer["isBase64Encoded"]
    assert json.loads(answer["body"])["updated_item"]["id"] == item.id
    assert [each.done for each in await grace.documents.read(items.ITEMS)] == [True]


async def test_the_cookie_identifies_the_user(function, grace):
    _, body = await ticked(grace)
    token = session_token(COOKIE, user=grace.user.id)
    cookie = f"other=1; __Host-chatkit_session={token}"
    assert function.call("POST", "/actions", body, cookie=cookie)["statusCode"] == 200
    assert function.call("POST", "/actions", body)["statusCode"] == 404


async def test_an_event_stream_is_returned_as_text(function, grace):
    _, body = await ticked(grace)
    answer = function.call(
        "POST", "/actions", body | {"type": "threads.custom_action"}, **grace.headers
    )
    assert answer["headers"]["content-type"].startswith("text/event-stream")
    assert not answer["isBase64Encoded"]
    assert answer["body"].startswith("data: ")


async def test_a_binary_body_reaches_the_function_in_base64(function, grace):
    boundary = "b0undary"
    body = (
        (
            f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="n"\r\n'
            "content-type: audio/webm\r\n\r\n"
        ).encode()
        + tone()
        + f"\r\n--{boundary}--\r\n".encode()
    )
    answer = function.call(
        "POST",
        "/actions/transcribe",
        body,
        **{"content-type": f"multipart/form-data; boundary={boundary}"},
        **grace.headers,
    )
    # There is no provider, so the function rejects the recording after it has read the form.
    assert answer["statusCode"] == 400
    assert "OPENAI_API_KEY" in json.loads(answer["body"])["message"]


async def test_a_redirect_is_relative_to_the_pages_origin(function, grace):
    body = {
        "type": "threads.custom_action",
        "params": {"thread_id": "t", "action": {"type": "vote.cast", "payload": {}}},
    }
    answer = function.call("POST", "/actions", body, **grace.headers)
    assert answer["statusCode"] == 307
    assert answer["headers"]["location"] == "/chatkit"


def test_health_and_unknown_paths_answer_in_json(function):
    assert function.call("GET", "/actions/health")["statusCode"] == 200
    missing = function.call("GET", "/actions/nothing")
    assert missing["statusCode"] == 404
    assert json.loads(missing["body"])["message"]


def removal(sort, number="1", partition="U#ada", old=None, name="REMOVE"):
    key = {"pk": {"S": partition}, "sk": {"S": sort}}
    return {
        "eventSource": "aws:dynamodb",
        "eventName": name,
        "dynamodb": {"Keys": key, "OldImage": {**key, **(old or {})}, "SequenceNumber": number},
    }


async def test_the_items_of_a_deleted_thread_are_removed_even_when_the_event_comes_twice(
    function, grace
):
    table = grace.store.table.name
    store = DynamoDBStore(table, purge="stream")
    thread = await grace.thread()
    await grace.shown(thread, items.card([]))
    await store.delete_thread(thread.id, grace.context)

    def rows():
        found = client("dynamodb").query(
            TableName=table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"U#{grace.user.id}#T#{thread.id}"}},
        )["Items"]
        return [row["sk"]["S"] for row in found if row["sk"]["S"].startswith("ITEM#")]

    assert rows()
    event = {"Records": [removal(f"THREAD#{thread.id}", partition=f"U#{grace.user.id}")]}
    for _ in range(2):
        assert function.invoke(event) == {"batchItemFailures": []}
        assert rows() == []


def test_only_the_failed_record_is_delivered_again(function):
    poisoned = removal("THREAD#x", "22")
    del poisoned["dynamodb"]["Keys"]["pk"]["S"]
    event = {"Records": [removal("THREAD#a", "11"), poisoned, removal("THREAD#c", "33")]}
    for _ in range(2):
        assert function.invoke(event) == {"batchItemFailures": [{"itemIdentifier": "22"}]}


async def test_a_body_in_s3_is_removed_with_its_row(function):
    bucket = Bucket(get_settings().attachments_bucket)
    await bucket.put("spill/u/t/i/old", b"x", "application/zlib")
    event = {
        "Records": [
            removal(
                "ITEM#i",
                partition="U#u#T#t",
                old={"spill": {"S": "spill/u/t/i/old"}},
                name="MODIFY",
            )
        ]
    }
    assert function.invoke(event) == {"batchItemFailures": []}
    assert await bucket.head("spill/u/t/i/old") is None


def created(key):
    return {"eventSource": "aws:s3", "s3": {"object": {"key": key}}}


async def test_an_upload_of_another_type_than_announced_is_removed(function):
    bucket = Bucket(get_settings().attachments_bucket)
    png = b"\x89PNG\r\n\x1a\n" + bytes(20)
    await bucket.put("uploads/u/good", png, "image/png")
    await bucket.put("uploads/u/jpeg", b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/png")
    await bucket.put("uploads/u/b+ad ü", b"<html>", "image/png")
    await bucket.put("uploads/u/text", b"hello", "text/plain")
    await bucket.put("uploads/voice/u/note", b"RIFF", "image/png")
    event = {
        "Records": [
            created("uploads/u/good"),
            created("uploads/u/jpeg"),
            created("uploads/u/b%2Bad+%C3%BC"),
            created("uploads/u/text"),
            created("uploads/voice/u/note"),
            created("uploads/u/never-there"),
        ]
    }
    for _ in range(2):
        assert function.invoke(event) is None
    assert await bucket.head("uploads/u/b+ad ü") is None
    for stored in ("uploads/u/good", "uploads/u/jpeg", "uploads/u/text", "uploads/voice/u/note"):
        assert await bucket.head(stored) is not None


def test_an_error_of_s3_repeats_the_event_after_all_objects_were_checked(function, monkeypatch):
    checked = []

    async def check_upload(key):
        checked.append(key)
        raise OSError("S3 is away")

    monkeypatch.setattr(function.handler._events, "_check_upload", check_upload)
    with pytest.raises(OSError, match="away"):
        function.invoke({"Records": [created("uploads/a"), created("uploads/b")]})
    assert checked == ["uploads/a", "uploads/b"]


@pytest.mark.parametrize("event", [{}, {"Records": []}, {"Records": [{"eventSource": "aws:sqs"}]}])
def test_an_event_of_an_unknown_kind_fails_and_becomes_a_dead_letter(function, event):
    with pytest.raises(Exception, match="an event of"):
        function.invoke(event)


async def test_two_hundred_invocations_leak_no_task_thread_file_or_object(cloud, grace):
    _, body = await ticked(grace)
    events = [
        call("POST", "/actions", body, **grace.headers),
        call("POST", "/actions", b"{", **grace.headers),
        {"Records": [removal("ATT#a", partition="U#u")]},
    ]
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("invocations.py")),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    answer, _ = await child.communicate(json.dumps(events).encode())
    seen = json.loads(answer)
    assert seen["statuses"] == [200, 400, None]
    assert seen["after"]["tasks"] == 0
    assert seen["after"]["threads"] <= seen["before"]["threads"]
    assert seen["after"]["files"] <= seen["before"]["files"]
    # A leak of one small object per invocation would be 200.
    assert seen["after"]["objects"] - seen["before"]["objects"] < 100
