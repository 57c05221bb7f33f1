"""Domain events from a real conversation: the table's stream, the handler, the bus and a queue.

moto stands for DynamoDB, EventBridge and SQS, and `delivered` for Lambda's event source mapping.
"""

import json
import random
from collections import Counter

import httpx2
import pytest

from functions.aws.clients import client
from functions.changes import publishing
from functions.changes.domain_events import DOMAIN_EVENT
from functions.changes.happened import Happened
from functions.chat.app import create_app
from functions.settings import Settings, forget_settings, get_settings
from functions.store.schema import CHANGE_FILTERS
from infra.emulator.events import _in_json
from infra.local.events import passes
from infra.stack.events import RETRIES
from tests.support.chat import Chat, thread_of
from tests.support.cloud import own_cloud
from tests.support.handler import Environment
from tests.support.openai_server import Call, Fail, OpenAIServer, Say
from tests.support.served import served

BUS = "ChatKit-test"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
SECRETS = ("a secret question", "a secret answer", "a-secret-name", "milk")


@pytest.fixture(scope="module")
def cloud():
    own = {
        "CHATKIT_COOKIE_KEY": "k" * 32,
        "CHATKIT_ASSISTANT": "tests.assistants.sample",
        "CHATKIT_EVENT_BUS": BUS,
        "CHATKIT_STAGE": "test",
        "CHATKIT_PURGE": "stream",
    }
    with pytest.MonkeyPatch.context() as patch, own_cloud(patch, **own):
        yield


@pytest.fixture(scope="module")
def function(cloud):
    with Environment("functions.changes.handler") as environment:
        yield environment


@pytest.fixture
def queue(cloud, request):
    """A queue that a rule of the bus sends everything to, as a reader of events has one."""
    sqs, events = client("sqs"), client("events")
    name = f"all-{abs(hash(request.node.name))}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    events.put_rule(Name=name, EventBusName=BUS, EventPattern='{"source": ["chatkit"]}')
    events.put_targets(Rule=name, EventBusName=BUS, Targets=[{"Id": "all", "Arn": arn}])
    yield url
    events.remove_targets(Rule=name, EventBusName=BUS, Ids=["all"])


def received(url, *, words=False):
    """What a reader gets, as the events that they are: nobody's words unless they are asked for."""
    found = []
    while (
        messages := client("sqs")
        .receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        .get("Messages")
    ):
        for message in messages:
            body = json.loads(message["Body"])
            event = DOMAIN_EVENT.validate_python(body["detail"])
            assert (body["source"], body["detail-type"]) == ("chatkit", event.type)
            assert words or not any(secret in message["Body"] for secret in SECRETS)
            found.append(event)
            client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def changes():
    """The records of the table's stream that reach the function, as Lambda writes them."""
    streams, table = client("dynamodbstreams"), get_settings().table
    arn = client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records = []
    while page := streams.get_records(ShardIterator=iterator):
        if not page["Records"]:
            break
        records += [record for record in page["Records"] if passes(record, CHANGE_FILTERS)]
        iterator = page["NextShardIterator"]
    return json.loads(json.dumps(records, default=_in_json))


def delivered(function, records, attempts=RETRIES + 1):
    """Deliver a batch as Lambda does, and return the records that it gives up.

    It goes on behind the first failed record, and halves what is left, until its attempts are over:
    https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
    """
    failures = function.invoke({"Records": records})["batchItemFailures"]
    failed = {failure["itemIdentifier"] for failure in failures}
    if not failed:
        return []
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    left = records[min(numbers.index(number) for number in failed) :]
    if attempts == 1:
        return left
    half = len(left) // 2
    parts = [left[:half], left[half:]] if half else [left]
    return [lost for part in parts for lost in delivered(function, part, attempts - 1)]


def story(url, model):
    """A conversation with everything in it that is published; returns its thread."""
    chat = Chat(url)
    model.script = [
        Call("show_items", {"add": ["milk"]}),
        Say("a secret answer"),
        Say("a secret answer"),
        Fail(400),
    ]
    events = chat.create("a secret question")
    thread = thread_of(events)
    given = {"name": "a-secret-name.png", "size": len(PNG), "mime_type": "image/png"}
    file = chat.read("attachments.create", **given)
    upload = file["upload_descriptor"]
    httpx2.put(upload["url"], content=PNG, headers=upload["headers"]).raise_for_status()
    chat.say(thread, "a secret question", attachments=[file["id"]])
    chat.say(thread, "a secret question")
    answer = [i for i in chat.items(thread) if i["type"] == "assistant_message"][-1]
    for kind in ("positive", "positive", "negative"):
        chat.read("items.feedback", thread_id=thread, item_ids=[answer["id"]], kind=kind)
    body = {"thread_id": thread, "item_ids": [answer["id"]]}
    chat.http.post("/chatkit/feedback/remove", json=body).raise_for_status()
    chat.read("threads.update", thread_id=thread, title="Mine")
    chat.read("threads.delete", thread_id=thread)
    return thread


STORY = [
    "thread.created",
    "message.received",
    "answer.completed",
    "tool.called",
    "message.received",
    "file.uploaded",
    "answer.completed",
    "message.received",
    "answer.failed",
    "feedback.given",
    "feedback.given",
    "feedback.removed",
    "thread.deleted",
]


@pytest.fixture(scope="module")
def served_chat(cloud):
    """The chat's address, and the model behind it."""
    model = OpenAIServer()
    with served(model.app) as url:
        settings = Settings(
            _env_file=None, openai_base_url=f"{url}/v1", model="test", model_api="chat_completions"
        )
        with served(create_app(settings)) as chat:
            yield chat, model


@pytest.fixture(scope="module")
def told(served_chat):
    """The thread of a conversation, and the records that tell it."""
    thread = story(*served_chat)
    return thread, changes()


def in_order(events):
    """The events once each, in the order that `docs/events.md` says how to make."""
    once = {event.id: event for event in events}
    return sorted(once.values(), key=lambda event: int(event.sequence))


def test_a_conversation_gives_exactly_the_documented_events_without_its_words(
    function, queue, told
):
    thread, records = told
    assert delivered(function, records) == []
    events = received(queue)
    assert Counter(event.type for event in events) == Counter(STORY)
    assert {event.thread for event in events} == {thread}
    assert len({event.owner for event in events}) == 1
    assert {event.stage for event in events} == {"test"}
    by_type = {event.type: event for event in in_order(events)}
    assert (by_type["tool.called"].tool, by_type["tool.called"].outcome) == ("show_items", "ok")
    assert by_type["file.uploaded"].mime_type == "image/png"
    assert by_type["file.uploaded"].bytes == len(PNG)
    assert by_type["answer.failed"].error
    assert by_type["feedback.given"].kind == "negative"


def test_a_reader_puts_repeated_and_disordered_events_right(function, queue, told):
    _, records = told
    twice = [*records, *records]
    random.Random(1).shuffle(twice)
    for first in range(0, len(twice), 10):
        assert delivered(function, twice[first : first + 10]) == []
    events = received(queue)
    assert len(events) == 2 * len(STORY)
    told_by = [event.type for event in in_order(events)]
    assert Counter(told_by) == Counter(STORY)
    # What one transaction writes, and one run does, has no order.
    assert told_by[-4:] == STORY[-4:]
    assert [name for name in told_by if name.startswith(("message", "answer"))] == [
        name for name in STORY if name.startswith(("message", "answer"))
    ]


def test_a_record_that_always_fails_is_given_up_alone(function, queue, told):
    _, records = told
    poisoned = next(r for r in records if r["dynamodb"]["Keys"]["sk"]["S"].startswith("ENDED#"))
    broken = json.loads(json.dumps(poisoned))
    broken["dynamodb"]["NewImage"]["body"]["S"] = "{"
    batch = [broken if record is poisoned else record for record in records][:10]
    number = poisoned["dynamodb"]["SequenceNumber"]
    assert function.invoke({"Records": batch}) == {
        "batchItemFailures": [{"itemIdentifier": number}]
    }
    assert delivered(function, batch) == [broken]
    others = [record for record in batch if record is not broken]
    expected = Counter(event.type for r in others for event in Happened(r, "test").events())
    assert Counter(event.type for event in in_order(received(queue))) == expected
    assert sum(expected.values()) == len(others) - 1  # one is half of a row, as moto writes them


def test_an_event_that_the_bus_refuses_fails_with_its_record_alone(function, told, monkeypatch):
    _, records = told
    refused = records[1]["dynamodb"]["SequenceNumber"]

    class Bus:
        def put_events(self, Entries):  # noqa: N803 - boto3's name
            codes = [
                {"ErrorCode": "ThrottlingException"} if refused in entry["Detail"] else {}
                for entry in Entries
            ]
            return {"FailedEntryCount": 1, "Entries": codes}

    monkeypatch.setattr(publishing, "client", lambda _: Bus())
    answer = function.invoke({"Records": records})
    assert answer == {"batchItemFailures": [{"itemIdentifier": refused}]}


def test_with_the_setting_messages_and_answers_carry_what_they_say(
    served_chat, told, queue, monkeypatch
):
    """As long as it is there, and up to 10,000 characters."""
    thread, of_the_deleted = told
    url, model = served_chat
    model.script, model._answered = [Say("a secret answer")], 0
    chat = Chat(url)
    here = thread_of(chat.create("a secret question"))
    chat.say(here, "why? " * 4_000)
    monkeypatch.setenv("CHATKIT_EVENT_TEXT", "true")
    forget_settings()
    with Environment("functions.changes.handler") as function:
        assert delivered(function, of_the_deleted) == []
        assert delivered(function, changes()[len(of_the_deleted) :]) == []
    forget_settings()
    events = received(queue, words=True)
    said = [
        (event.type, event.text and event.text[:20], len(event.text or ""))
        for event in in_order(event for event in events if event.thread == here)
        if hasattr(event, "text")
    ]
    assert said == [
        ("message.received", "a secret question", 17),
        ("answer.completed", "a secret answer", 15),
        ("message.received", "why? why? why? why? ", 10_000),
        ("answer.completed", "a secret answer", 15),
    ]
    gone = [event.text for event in events if event.thread == thread and hasattr(event, "text")]
    assert gone == [None] * 5
