"""Runs the functions' real code as the template sets them up, under a role's statements."""

import asyncio
import random
import secrets
from contextlib import contextmanager
from urllib.parse import urlsplit

import boto3
import pytest
from chatkit.types import ThreadItemRemovedEvent
from pydantic import BaseModel

from functions.attachments.schema import file_key
from functions.aws import clients, owner_sessions, secret_values
from functions.aws.bucket import Bucket
from functions.events.events import Events
from functions.services import Services
from functions.settings import Settings, forget_settings, get_settings
from functions.store import DynamoDBStore, keys, sweep
from functions.toolkit import action
from tests.assistants.sample import assistant
from tests.infra.stack.iam import Need, Role, enforced, resolve, signer_of, statements_of
from tests.infra.stack.keys import Keys
from tests.support.chat import Chat, thread_of
from tests.support.openai_server import Call, Say
from tests.support.served import served
from tests.support.speech import tone

ACCOUNT = "123456789012"
REGION = "us-east-1"
TABLE, BUCKET, QUEUE = "the-table", "the-bucket", "the-dead-letters"
VECTORS = "the-vectors"
FUNCTIONS = ("Chat", "Actions", "Events", "Sweep")
LAMBDAS_OWN = {"WriteLogs"}
"""Statements that only Lambda itself uses, which writes the logs."""
PNG = b"\x89PNG\r\n\x1a\n" + secrets.token_bytes(64)


class Stage:
    """Runs a function's app as the template sets it up."""

    def __init__(self, template, names, model, model_url):
        self.template, self.names, self.model = template, names, model
        self.extra = {
            "CHATKIT_PROVIDER": "compatible",
            "OPENAI_BASE_URL": model_url,
            "CHATKIT_MODEL": "test",
            "CHATKIT_MODEL_API": "chat_completions",
            "CHATKIT_TRANSCRIPTION": "openai",
            "CHATKIT_ASSISTANT": "tests.assistants.sample",
            "CHATKIT_MESSAGES_PER_MINUTE": "1000",  # one person does it all, once for each test
        }

    def _role_id(self, function):
        roles = self.template.of_type("AWS::IAM::Role")
        return next((name for name in roles if name.startswith(f"{function}Role")), None)

    def statements(self, function):
        """The statements of the role of one of `FUNCTIONS`, or of the data role (`Data`)."""
        return resolve(statements_of(self.template, self._role_id(function)), self.names)

    def names_arn(self, prefix):
        return next(v for k, v in self.names.items() if k.startswith(prefix) and k.endswith(".Arn"))

    def role(self, function, without=None):
        """The role of one of `FUNCTIONS`, perhaps without one statement (by its Sid).

        With the data role, if there is one, perhaps without a statement (`Data` and its Sid).
        """
        role_id, data = self._role_id(function), None
        sid = without.removeprefix("Data ") if without else None
        found = self.statements(function)
        if function != "Data":
            data = self.role("Data", sid if sid != without else None) if self.isolated else None
            sid = sid if sid == without else None
        trust = self.template.resources[role_id]["Properties"]["AssumeRolePolicyDocument"]
        return Role(
            [s for s in found if s["Sid"] != sid],
            ACCOUNT,
            Keys(self.template, self.names).asked,
            self.names[f"{role_id}.Arn"],
            resolve(trust, self.names)["Statement"],
            data,
        )

    @property
    def isolated(self):
        return self._role_id("Data") is not None

    @contextmanager
    def within(self, function, role):
        """Set up the function's environment and hold this process to its role."""
        function_resource = self.template.only("AWS::Lambda::Function", f"{function}Function")
        environment = function_resource.get("Environment", {"Variables": {}})
        told = resolve(environment["Variables"], self.names)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (told | self.extra).items():
                patch.setenv(name, value)
            fresh()
            with enforced(role, REGION):
                yield
        fresh()

    @contextmanager
    def running(self, function, role):
        from functions.actions.app import create_app as create_actions
        from functions.chat.app import create_app as create_chat

        create = {"Chat": create_chat, "Actions": create_actions}[function]
        with (
            self.within(function, role),
            removing_action(),
            served(create(Settings(_env_file=None))) as url,
        ):
            yield url


class Nothing(BaseModel):
    pass


@action("test.remove", payload=Nothing)
async def remove(run, payload):
    """An action that removes an item, which no action of the sample does."""
    yield ThreadItemRemovedEvent(item_id="msg_none")


@contextmanager
def removing_action():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(assistant.actions, remove.name, remove)
        yield


def fresh():
    """Forget the clients and secrets of the role before."""
    forget_settings()
    clients._client.cache_clear()
    owner_sessions.boto_session.cache_clear()
    secret_values._kept.clear()


def upload(url, role, data, kind):
    """Upload as S3 does for a presigned PUT: with the rights of the role that signed it."""
    place = urlsplit(str(url)).path.removeprefix(f"/{BUCKET}/")
    need = Need("s3:PutObject", f"arn:aws:s3:::{BUCKET}/{place}")
    signer_of(role, str(url)).require(need, "PutObject")
    admin().put_object(Bucket=BUCKET, Key=place, Body=data, ContentType=kind)


def large_text():
    """More text than fits into the table, even when it is compressed."""
    return "".join(map(chr, random.Random(1).choices(range(0x4E00, 0x9E00), k=190_000)))


def admin():
    return administrator_of("s3")


def administrator_of(service):
    """A client that is held to no role."""
    return boto3.session.Session().client(
        service, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b"
    )


def pressed(widget, kind):
    """The payload of the first action of `kind` in a widget."""
    if isinstance(widget, dict):
        if widget.get("type") == kind:
            return widget["payload"]
        widget = list(widget.values())
    for inner in widget if isinstance(widget, list) else ():
        if (found := pressed(inner, kind)) is not None:
            return found
    return None


def chat_does_everything(url, role, model):
    """Every operation of the streaming function, each with an answer that is checked."""
    chat = Chat(url)
    assert chat.http.get("/chatkit/health").status_code == 200
    assert chat.http.post("/chatkit/session").json()["user"]["id"]
    model._answered = 0

    model.script = [Say("Hello there.")]
    thread = thread_of(chat.create("Hi"))
    large = large_text()
    assert chat.say(thread, large)[-1]["type"] != "error"
    assert any(item["content"][0]["text"] == large for item in chat.items(thread))

    # Files: announced, uploaded, sent, previewed; and one that is missing, and one taken back.
    def announced():
        given = {"name": "a.png", "size": len(PNG), "mime_type": "image/png"}
        return chat.read("attachments.create", **given)

    file = announced()
    upload(file["upload_descriptor"]["url"], role, PNG, "image/png")
    sent = chat.say(thread, "Look", attachments=[file["id"]])
    assert sent[-1]["type"] != "error", sent[-1]
    missing = announced()
    body = {"content": [{"type": "input_text", "text": "?"}], "attachments": [missing["id"]]}
    refused = chat.post(
        "threads.add_user_message", thread_id=thread, input={**body, "inference_options": {}}
    )
    assert refused.status_code == 409, refused.text
    chat.read("attachments.delete", attachment_id=missing["id"])

    # Lists, titles, feedback, retry.
    assert chat.read("threads.list")["data"]
    assert chat.read("threads.get_by_id", thread_id=thread)["id"] == thread
    chat.read("threads.update", thread_id=thread, title="Mine")
    items = chat.items(thread)
    last = items[-1]["id"]
    chat.read("items.feedback", thread_id=thread, item_ids=[last], kind="positive")
    asked = [item for item in items if item["type"] == "user_message"][-1]
    again = chat.stream("threads.retry_after_item", thread_id=thread, item_id=asked["id"])
    assert again[-1]["type"] != "error", again[-1]

    # The assistant's own data: a card, ticked off.
    model._answered = 0
    model.script = [Call("show_items", {"add": ["milk"]}), Say("Here it is.")]
    shown = chat.say(thread, "My list")
    assert shown[-1]["type"] != "error", shown[-1]
    card = next(item for item in chat.items(thread) if item["type"] == "widget")
    tick = pressed(card["widget"], "item.toggle")
    action = {"type": "item.toggle", "payload": {"id": tick["id"], "done": True}}
    chat.read("threads.sync_custom_action", thread_id=thread, item_id=card["id"], action=action)
    assert chat.http.get("/chatkit/entities?q=li").status_code == 200

    # A tool that reads other conversations.
    model._answered = 0
    model.script = [Call("count_messages"), Say("Found.")]
    other = chat.create("Find hi")
    assert other[-1]["type"] != "error", other[-1]

    # The report, which the route gives to administrators only.
    assert asyncio.run(Services.of(get_settings()).reports.read(31))["days"]

    chat.read("threads.delete", thread_id=thread)
    assert chat.post("threads.get_by_id", thread_id=thread).status_code == 404

    # The visitor's own data: saved, and deleted with their other conversation.
    assert chat.http.get("/chatkit/me/export").json()["complete"] is True
    assert chat.http.post("/chatkit/me/delete", json={}).json() == {"done": True}


def actions_do_everything(url, role, lived_in):
    """Every operation of the second function, each with an answer that is checked."""
    before, shown, *_ = lived_in
    chat = Chat(url)
    chat.http.cookies = before.http.cookies
    assert chat.http.get("/actions/health").status_code == 200
    tick = pressed(shown["widget"], "item.toggle")
    for kind, name, payload in (
        ("threads.sync_custom_action", "item.toggle", {"id": tick["id"], "done": True}),
        ("threads.custom_action", "item.toggle", {"id": tick["id"], "done": False}),
        ("threads.custom_action", "test.remove", {}),
    ):
        body = {
            "type": kind,
            "params": {
                "thread_id": shown["thread_id"],
                "item_id": shown["id"],
                "action": {"type": name, "payload": payload},
            },
        }
        answer = chat.http.post("/actions", json=body)
        assert answer.status_code == 200, answer.text
        assert '"type":"error"' not in answer.text, answer.text
    assert chat.http.post("/actions/cancel", json={"run_id": "r"}).json() == {"cancelled": True}

    note = tone()
    files = {"file": ("note.wav", note, "audio/wav")}
    answer = chat.http.post("/actions/transcribe", files=files)
    assert answer.json()["text"], answer.text
    asked = {"mime_type": "audio/wav", "size": len(note)}
    answer = chat.http.post("/actions/uploads", json=asked)
    assert answer.status_code == 200, answer.text
    place = answer.json()
    assert chat.http.post("/actions/transcribe", json={"key": place["key"]}).status_code == 404
    upload(place["url"], role, note, "audio/wav")
    answer = chat.http.post("/actions/transcribe", json={"key": place["key"]})
    assert answer.status_code == 200, answer.text


def events_do_everything(lived_in):
    """The stream tells of the deleted thread, and S3 of an upload that is not what it says."""
    *_, user, deleted = lived_in
    wrong = f"uploads/{'f' * 32}/x"
    admin().put_object(Bucket=BUCKET, Key=wrong, Body=b"<html>", ContentType="image/png")
    key = {"pk": {"S": f"U#{user}"}, "sk": {"S": f"THREAD#{deleted}"}}
    gone = {
        "eventSource": "aws:dynamodb",
        "eventName": "REMOVE",
        "dynamodb": {"Keys": key, "OldImage": key, "SequenceNumber": "1"},
    }
    arrived = {"eventSource": "aws:s3", "s3": {"object": {"key": wrong}}}

    async def events():
        settings = get_settings()
        bucket = Bucket(settings.attachments_bucket)
        taker = Events(DynamoDBStore(settings.table, bucket=bucket), bucket)
        assert await taker.handle({"Records": [gone]}) == {"batchItemFailures": []}
        await taker.handle({"Records": [arrived]})

    asyncio.run(events())
    kept = admin().list_objects_v2(Bucket=BUCKET).get("Contents", [])
    assert wrong not in {entry["Key"] for entry in kept}


def sweep_does_everything():
    """A thread is lost, with a file, and an object that no row names. The sweep is interrupted."""
    from functions.events import sweep_handler

    lost = keys.thread_partition("anon_lost", "thr_1")
    named = {"thread": {"S": "thr_1"}, "body": {"S": "{}"}}
    file = file_key("anon_lost", "atc_1")
    table = administrator_of("dynamodb")
    for row in (
        {**keys.key(lost, keys.HEAD)},
        {**keys.item_key("anon_lost", "thr_1", "msg_1"), "spill": {"S": "spill/o/t/i/x"}},
        {**keys.attachment_link_key("anon_lost", "thr_1", "atc_1")},
        {**keys.attachment_key("anon_lost", "atc_1"), **named},
        {**keys.gone_key("anon_lost", "thr_1"), "at": {"N": "1"}},
    ):
        table.put_item(TableName=TABLE, Item=row)
    orphans = {f"{prefix}{'f' * 32}/x" for prefix in sweep.PREFIXES}
    for key in (file, *orphans):
        admin().put_object(Bucket=BUCKET, Key=key, Body=b"hello")

    async def sweeps():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sweep, "MIN_AGE_SECONDS", -10)
            patch.setattr(sweep, "PAGE_ROWS", 3)
            patch.setattr(sweep, "CHECKPOINT", 0)
            swept = await sweep_handler.make(pause=0).run(60)
        assert swept.failed == 0
        assert swept.finished is not None
        assert swept.threads  # others have been deleted, and nobody has read the stream

    asyncio.run(sweeps())
    found = table.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": lost}},
    )
    assert found["Items"] == []
    kept = {entry["Key"] for entry in admin().list_objects_v2(Bucket=BUCKET).get("Contents", [])}
    assert not kept & {file, *orphans}


def lambda_feeds_it(queue=QUEUE):
    """What Lambda does with the role by itself, to read the stream and to keep what failed:
    https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html.
    """
    streams = boto3.client("dynamodbstreams", region_name=REGION)
    (stream,) = streams.list_streams(TableName=TABLE)["Streams"]
    arn = stream["StreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    begin = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )
    assert streams.get_records(ShardIterator=begin["ShardIterator"])["Records"]
    sqs = boto3.client("sqs", region_name=REGION)
    sqs.send_message(
        QueueUrl=f"{sqs.meta.endpoint_url}/{ACCOUNT}/{queue}", MessageBody="what failed"
    )


def run(stage, function, role, model, lived_in):
    if function == "Sweep":
        with stage.within(function, role):
            sweep_does_everything()
        return
    if function == "Events":
        with stage.within(function, role):
            events_do_everything(lived_in)
            lambda_feeds_it()
        return
    with stage.running(function, role) as url:
        if function == "Chat":
            chat_does_everything(url, role, model)
        else:
            actions_do_everything(url, role, lived_in)
