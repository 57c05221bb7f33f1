"""`knowledge=true`: what the stack makes, and that its roles are enough and no more."""

import asyncio
import json
import os
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from functions.aws.bucket import Bucket
from functions.ingest import ingest as ingesting
from functions.ingest import removal
from functions.ingest.events import Events
from functions.ingest.ingest import Ingest
from functions.knowledge.search import Knowledge
from functions.knowledge.vectors import VectorsError
from functions.settings import get_settings
from functions.store.table import Table
from infra.emulator.project import ingest_configuration
from infra.stack import knowledge
from infra.stack.context import SettingsError, read_settings
from tests.infra.stack.iam import Need, Role, grants, signer_of
from tests.infra.stack.stage import ACCOUNT, BUCKET, LAMBDAS_OWN, REGION, VECTORS, Stage, admin
from tests.support.knowledge import read_paragraphs, split_paragraphs

KEY = "knowledge/handbook/holidays.txt"
FAILURES = (AssertionError, ClientError, VectorsError, BotoCoreError, KeyError)


@pytest.fixture(scope="module")
def template(synth):
    """Where people's rows and objects are out of the functions' own reach."""
    return synth(knowledge="true", kms="true", isolation="session")["chatkit-dev"]


@pytest.fixture(scope="module")
def stage(template, names):
    made = Stage(template, names, None, "http://127.0.0.1:1/v1")
    made.extra = {}
    return made


@pytest.fixture(autouse=True)
def paragraphs(monkeypatch):
    monkeypatch.setattr(ingesting, "read", read_paragraphs)
    monkeypatch.setattr(ingesting, "split", split_paragraphs)


def put(text):
    admin().put_object(Bucket=BUCKET, Key=KEY, Body=text.encode(), Metadata={"roles": "staff"})


def queue_of(stage):
    return stage.names_arn("IngestDocuments").rpartition(":")[2]


def url_of(queue):
    return f"{os.environ['AWS_ENDPOINT_URL']}/{ACCOUNT}/{queue}"


def lambda_reads(queue):
    """What Lambda does with the role by itself."""
    sqs, url = boto3.client("sqs", region_name=REGION), url_of(queue)
    sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    for message in sqs.receive_message(QueueUrl=url).get("Messages", []):
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


async def handle(*, force=True):
    settings = get_settings()
    events = Events(
        Ingest(
            settings,
            Table(settings.table, nobodys=True),
            Bucket(settings.attachments_bucket, nobodys=True),
        )
    )
    record = {
        "messageId": uuid4().hex,
        "body": json.dumps({"key": KEY, "force": force}),
        "eventSource": "aws:sqs",
    }
    answer = await events.handle({"Records": [record]}, lambda: 900.0)
    assert answer == {"batchItemFailures": []}


def empty(stage):
    """Forget all objects and indexes. Rows may stay, because events force an ingest."""
    for entry in admin().list_objects_v2(Bucket=BUCKET).get("Contents", []):
        admin().delete_object(Bucket=BUCKET, Key=entry["Key"])
    vectors = boto3.session.Session().client(
        "s3vectors", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b"
    )
    for index in vectors.list_indexes(vectorBucketName=VECTORS)["indexes"]:
        vectors.delete_index(vectorBucketName=VECTORS, indexName=index["indexName"])


def ingest_does_everything(stage, role):
    """A document comes, changes, and goes. A first one has to make everything."""
    empty(stage)
    sqs = boto3.session.Session().client(
        "sqs", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b"
    )
    sqs.send_message(QueueUrl=url_of(queue_of(stage)), MessageBody="{}")
    with stage.within("Ingest", role):
        lambda_reads(queue_of(stage))
        put("Holidays are thirty days.\n\nAsk your lead.")
        asyncio.run(handle())
        put("Holidays are thirty-one days.\n\nAsk your lead.")
        asyncio.run(handle())
        asyncio.run(handle(force=False))  # another process finds the index there
        admin().delete_object(Bucket=BUCKET, Key=KEY)
        asyncio.run(handle())


@pytest.fixture(scope="module")
def known(stage):
    """A document that is known, read with all rights."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingesting, "read", read_paragraphs)
        patch.setattr(ingesting, "split", split_paragraphs)
        allowed = stage.role("Ingest")
        with stage.within("Ingest", allowed):
            put("Holidays are thirty days.\n\nAsk your lead.")
            asyncio.run(handle())


def search_does_everything(stage, role):
    async def search():
        knowledge = Knowledge.of(get_settings())
        assert await Knowledge.of(get_settings()).search("unknown", tenant="t", roles=()) == []
        (best, *_) = await knowledge.search("holidays", tenant=None, roles=["staff"])
        view = await knowledge.passage(best.passage.id, tenant=None, roles=["staff"])
        missing = f"{'0' * 20}{'0' * 16}"
        assert await knowledge.passage(missing, tenant=None, roles=["staff"]) is None
        return view

    with stage.within("Chat", role):
        view = asyncio.run(search())
        need = Need("s3:GetObject", f"arn:aws:s3:::{BUCKET}/{KEY}")
        signer_of(role, view.link).require(need, "GetObject")


def test_a_search_before_the_first_document_finds_nothing(stage):
    empty(stage)
    role = stage.role("Chat")
    with stage.within("Chat", role):
        found = Knowledge.of(get_settings()).search("holidays", tenant=None, roles=())
        assert asyncio.run(found) == []
    assert role.denied == []


def of_search(stage):
    """The statements that only searching needs."""
    ours = {"Vectors", "KnowledgeKey", "Documents", "List"}
    return [s for s in stage.statements("Chat") if s["Sid"] in ours]


def test_the_ingest_functions_role_is_enough_and_every_right_in_it_is_used(stage):
    role = stage.role("Ingest")
    ingest_does_everything(stage, role)
    assert role.denied == []
    for statement in stage.statements("Ingest"):
        for grant in [] if statement["Sid"] in LAMBDAS_OWN else grants(statement):
            alone = Role([grant], ACCOUNT)
            assert any(alone.permits(need) for need in role.asked), grant
    for need in role.asked:
        if need.action.startswith("dynamodb:"):
            assert dict(need.given)["dynamodb:LeadingKeys"][0].startswith("K#")


def test_without_one_statement_of_it_no_document_is_read(stage):
    for statement in stage.statements("Ingest"):
        if statement["Sid"] in LAMBDAS_OWN:
            continue
        role = stage.role("Ingest", without=statement["Sid"])
        with pytest.raises(FAILURES):
            ingest_does_everything(stage, role)
        # Without the right to list, S3 only no longer says that an object is missing.
        assert role.denied or statement["Sid"] == "List", statement["Sid"]
        removed = Role([statement], ACCOUNT)
        assert all(removed.permits(need) for need in role.denied), statement["Sid"]


def test_a_search_needs_each_right_of_the_streaming_function_that_is_for_it(stage, known):
    role = stage.role("Chat")
    search_does_everything(stage, role)
    assert role.denied == []
    statements = of_search(stage)
    assert len(statements) == 4
    for statement in statements:
        for grant in grants(statement):
            alone = Role([grant], ACCOUNT)
            assert any(alone.permits(need) for need in role.asked), grant
        less = stage.role("Chat", without=statement["Sid"])
        with pytest.raises(FAILURES):
            search_does_everything(stage, less)
        assert less.denied, statement["Sid"]


def test_no_other_function_reaches_vectors_and_the_ingest_function_nothing_of_people(stage):
    index = f"arn:aws:s3vectors:{REGION}:{ACCOUNT}:bucket/{VECTORS}/index/k-0"
    for function in ("Actions", "Events"):
        assert not stage.role(function).permits(Need("s3vectors:QueryVectors", index))
    chat, ingest = stage.role("Chat"), stage.role("Ingest")
    assert not chat.permits(Need("s3vectors:PutVectors", index))
    assert not chat.permits(Need("s3vectors:QueryVectors", index.replace(VECTORS, "others")))
    table = stage.names_arn("Table")
    for need in (
        Need("s3:GetObject", f"arn:aws:s3:::{BUCKET}/files/f/x"),
        Need("s3:DeleteObject", f"arn:aws:s3:::{BUCKET}/{KEY}"),
        Need("dynamodb:GetItem", table, given=(("dynamodb:LeadingKeys", ("U#ada",)),)),
        Need("s3vectors:DeleteIndex", index),
    ):
        assert not ingest.permits(need), need
    secrets = {s["Sid"] for s in stage.statements("Ingest")}
    assert not secrets & {"CookieKey", "ModelKey"}


def test_without_isolation_the_streaming_function_reaches_the_documents_as_all_files(synth):
    found = statements(synth(knowledge="true")["chatkit-dev"], "Chat")
    assert "Vectors" in found
    assert found["Objects"]["Resource"]["Fn::Join"][1][1] == "/*"
    assert not {"Documents", "KnowledgeKey"} & found.keys()


class Answers:
    """Takes the answers of the removal's function."""

    def __init__(self, monkeypatch):
        self.bodies = []
        monkeypatch.setattr(removal, "_put", lambda _, body: self.bodies.append(json.loads(body)))


def deleted(bucket=VECTORS, kind="Delete"):
    said = dict.fromkeys(("StackId", "RequestId", "LogicalResourceId"), "x")
    properties = {"VectorBucket": bucket}
    return {**said, "RequestType": kind, "ResponseURL": "", "ResourceProperties": properties}


def test_deleting_the_stack_deletes_the_indexes_first(stage, known, monkeypatch):
    answers = Answers(monkeypatch)
    role = stage.role("VectorRemoval")
    vectors = boto3.client("s3vectors", region_name=REGION)
    assert vectors.list_indexes(vectorBucketName=VECTORS)["indexes"]
    with stage.within("VectorRemoval", role):
        removal.handler(deleted(kind="Create"), None)
        assert vectors.list_indexes(vectorBucketName=VECTORS)["indexes"]
        removal.handler(deleted(), None)
        removal.handler(deleted("others"), None)
    assert vectors.list_indexes(vectorBucketName=VECTORS)["indexes"] == []
    assert [each["Status"] for each in answers.bodies] == ["SUCCESS", "SUCCESS", "FAILED"]
    assert {need.action for need in role.asked} == {
        "s3vectors:ListIndexes",
        "s3vectors:DeleteIndex",
    }


def test_cloudformation_gets_the_answer_as_it_signed_the_link_for(monkeypatch):
    """A link that is signed without a type takes no upload with one."""
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    got = []

    class Taker(BaseHTTPRequestHandler):
        def do_PUT(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append((self.path, self.headers["content-type"], json.loads(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Taker) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        link = f"http://127.0.0.1:{server.server_port}/answer?signed"
        removal.handler({**deleted(kind="Update"), "ResponseURL": link}, None)
        thread.join()
    ((path, kind, body),) = got
    assert (path, kind) == ("/answer?signed", "")
    assert body["Status"] == "SUCCESS"
    assert body["PhysicalResourceId"]


def test_the_emulator_runs_the_function_as_the_template_says(template):
    function = template.only("AWS::Lambda::Function", "IngestFunction")
    emulated = ingest_configuration(Path("x"), {})
    assert (emulated.handler, emulated.timeout, emulated.memory) == (
        function["Handler"],
        function["Timeout"],
        function["MemorySize"],
    )


def test_documents_reach_the_function_by_a_queue_that_keeps_those_it_gave_up(template):
    (queue,) = (n for n in template.of_type("AWS::SQS::Queue") if n.startswith("IngestDocuments"))
    (dead,) = (n for n in template.of_type("AWS::SQS::Queue") if n.startswith("IngestDead"))
    waiting = template.resources[queue]["Properties"]
    assert waiting["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": [dead, "Arn"]},
        "maxReceiveCount": knowledge.ATTEMPTS,
    }
    function = template.only("AWS::Lambda::Function", "IngestFunction")
    assert waiting["VisibilityTimeout"] > function["Timeout"] == 900
    mapping = template.only("AWS::Lambda::EventSourceMapping", "IngestSource")
    assert mapping["BatchSize"] == 1
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": knowledge.AT_ONCE}
    assert "ReservedConcurrentExecutions" not in function, "so nothing is throttled"
    told = template.only("Custom::S3BucketNotifications")["NotificationConfiguration"]
    for asked in told["QueueConfigurations"]:
        assert asked["QueueArn"] == {"Fn::GetAtt": [queue, "Arn"]}
        (rule,) = asked["Filter"]["Key"]["FilterRules"]
        assert rule == {"Name": "prefix", "Value": "knowledge/"}
    kinds = [kind for asked in told["QueueConfigurations"] for kind in asked["Events"]]
    assert sorted(kinds) == ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]


def test_the_vectors_are_kept_when_people_s_data_is_and_else_deleted_after_the_function(synth):
    dev = synth(knowledge="true")["chatkit-dev"]
    (bucket,) = dev.of_type("AWS::S3Vectors::VectorBucket")
    assert dev.resources[bucket]["DeletionPolicy"] == "Delete"
    (removed,) = dev.of_type("Custom::VectorIndexes")
    (function,) = (n for n in dev.of_type("AWS::Lambda::Function") if n.startswith("IngestF"))
    assert removed in dev.resources[function]["DependsOn"]
    kept = synth(knowledge="true", deletionProtection="true")["chatkit-dev"]
    (bucket,) = kept.of_type("AWS::S3Vectors::VectorBucket")
    assert kept.resources[bucket]["DeletionPolicy"] == "Retain"
    assert not kept.of_type("Custom::VectorIndexes")


def test_without_the_setting_there_is_nothing_of_it(dev):
    told = [[name, r["Type"], r.get("Properties")] for name, r in dev.resources.items()]
    text = json.dumps([told, dev.body["Outputs"]]).lower()
    assert "s3vectors" not in text
    assert "knowledge" not in text


def test_the_key_of_ones_own_is_also_that_of_the_vectors(template):
    (key,) = template.of_type("AWS::KMS::Key")
    bucket = template.only("AWS::S3Vectors::VectorBucket")
    arn = {"Fn::GetAtt": [key, "Arn"]}
    assert bucket["EncryptionConfiguration"] == {"SseType": "aws:kms", "KmsKeyArn": arn}
    policy = template.resources[key]["Properties"]["KeyPolicy"]["Statement"]
    (ours,) = (s for s in policy if s.get("Sid") == "S3Vectors")
    assert ours["Principal"] == {"Service": "indexing.s3vectors.amazonaws.com"}
    assert ours["Action"] == "kms:Decrypt"
    assert ours["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def statements(template, role):
    return {
        s["Sid"]: s
        for name, policy in template.of_type("AWS::IAM::Policy").items()
        if name.startswith(f"{role}Role")
        for s in policy["Properties"]["PolicyDocument"]["Statement"]
    }


@pytest.mark.parametrize(
    ("typed", "model"),
    [
        ({"provider": "bedrock"}, "amazon.titan-embed-text-v2:0"),
        (
            {"embeddingProvider": "bedrock", "embeddingModel": "cohere.embed-multilingual-v3"},
            "cohere.embed-multilingual-v3",
        ),
    ],
)
def test_bedrock_embeds_with_exactly_one_model_and_no_key(synth, typed, model):
    template = synth(knowledge="true", **typed)["chatkit-dev"]
    for role in ("Chat", "Ingest"):
        allowed = statements(template, role)["EmbeddingModels"]
        assert allowed["Action"] == "bedrock:InvokeModel"
        assert json.dumps(allowed["Resource"]).endswith(f'::foundation-model/{model}"]]}}')
        assert "EmbeddingKey" not in statements(template, role)


def test_the_ingest_function_reads_the_key_of_the_provider_that_embeds_and_no_other(synth):
    template = synth(knowledge="true", provider="gemini", embeddingProvider="openai")["chatkit-dev"]
    (openai,) = (n for n in template.of_type("AWS::SecretsManager::Secret") if "Openai" in n)
    allowed = statements(template, "Ingest")
    assert allowed["EmbeddingKey"]["Resource"] == {"Ref": openai}
    told = template.only("AWS::Lambda::Function", "IngestFunction")["Environment"]["Variables"]
    assert told["CHATKIT_OPENAI_API_KEY_SECRET"] == {"Ref": openai}
    assert "CHATKIT_GEMINI_API_KEY_SECRET" not in told
    assert "CHATKIT_COOKIE_KEY_SECRET" not in told

    own = {"embeddingBaseUrl": "https://vectors.example/v1", "embeddingModel": "m"}
    own |= {"embeddingDimension": "384", "embeddingSecret": "our/vectors"}
    template = synth(knowledge="true", provider="openai", **own)["chatkit-dev"]
    for role in ("Chat", "Ingest"):
        assert "our/vectors" in json.dumps(statements(template, role)["EmbeddingKey"])
    told = template.only("AWS::Lambda::Function", "IngestFunction")["Environment"]["Variables"]
    assert told["CHATKIT_EMBEDDING_API_KEY_SECRET"] == "our/vectors"
    assert "CHATKIT_OPENAI_API_KEY_SECRET" not in told


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"embeddingModel": "m"}, "embeddingModel: only with knowledge=true"),
        ({"passageTokens": "100"}, "passageTokens: only with knowledge=true"),
        ({"knowledge": "true", "embeddingProvider": "openai"}, "provider=demo has no keys"),
        ({"knowledge": "true", "embeddingProvider": "compatible"}, "needs embeddingBaseUrl"),
        ({"knowledge": "true", "embeddingSecret": "x"}, "embeddingSecret needs embeddingBaseUrl"),
        (
            {"knowledge": "true", "provider": "openai", "embeddingProvider": "azure"},
            "needs models of azure",
        ),
        (
            {
                "knowledge": "true",
                "embeddingProvider": "bedrock",
                "embeddingBaseUrl": "https://a.example/v1",
            },
            "embeddingBaseUrl needs embeddingProvider=compatible",
        ),
        (
            {"knowledge": "true", "embeddingBaseUrl": "https://a.example/v1"},
            "EMBEDDING_MODEL",
        ),
        ({"knowledge": "true", "embeddingDimension": "4097"}, "less than or equal to 4096"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(typed, message):
    with pytest.raises(SettingsError, match=message):
        read_settings(typed)


def test_the_outputs_say_what_make_ingest_has_to_know(synth):
    outputs = synth(knowledge="true", provider="openai")["chatkit-dev"].body["Outputs"]
    index = json.loads(outputs["KnowledgeIndex"]["Value"])
    assert (index["provider"], index["model"]) == ("openai", "text-embedding-3-small")
    other = synth(knowledge="true", provider="openai", passageTokens="200")["chatkit-dev"]
    assert json.loads(other.body["Outputs"]["KnowledgeIndex"]["Value"])["index"] != index["index"]
    assert {"VectorBucketName", "DocumentQueueUrl"} <= outputs.keys()


def test_the_dashboard_and_an_alarm_watch_documents_and_searches(synth):
    template = synth(knowledge="true", alarmEmail="a@example.com")["chatkit-dev"]
    alarm = template.only("AWS::CloudWatch::Alarm", "AlarmsUnreadDocuments")
    assert "IngestDeadLetters" in json.dumps(alarm["Dimensions"])
    assert alarm["Threshold"] == 1
    assert alarm["AlarmActions"]
    body = json.dumps(template.only("AWS::CloudWatch::Dashboard"))
    for title in ("Documents read", "Documents that wait", "Search, p90"):
        assert title in body
    assert "search_ms" in body
