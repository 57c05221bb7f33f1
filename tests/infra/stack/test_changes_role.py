"""The changes function reads the table's stream and keeps totals, and no row of anybody."""

import asyncio
import json
from datetime import UTC, datetime
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from functions.changes.takers import takers
from functions.context import RequestContext
from functions.run_record import RunRecord
from functions.settings import Settings
from functions.store import DynamoDBStore
from functions.store.keys import ended_run_key, key, stamp, thread_partition
from functions.store.schema import CHANGE_FILTERS
from tests.changes.records import stream_record
from tests.infra.stack.conftest import ANYTHING
from tests.infra.stack.iam import Need, Role, grants, statements_of
from tests.infra.stack.stage import ACCOUNT, BUCKET, LAMBDAS_OWN, REGION, TABLE, large_text
from tests.infra.stack.variants import EVERYTHING
from tests.store.samples import answer, message, thread

OF_TEXTS = {"TextRows", "TextIndex", "Texts", "TextKey"}
QUEUE = "ChangesDeadLetters"


@pytest.fixture(scope="module")
def template(synth):
    """With questions' texts in the report, which only add statements."""
    return synth(kms="true", reportText="true")["chatkit-dev"]


ADA = RequestContext(user_id="ada")


@pytest.fixture(scope="module")
def stage(stage):
    """The stage with a question of Ada's, so large that it lies in the bucket, and its answer."""
    with stage.within("Changes", Role([ANYTHING], ACCOUNT)):

        async def ask():
            store = DynamoDBStore(TABLE, bucket=BUCKET)
            await store.save_thread(thread("thr_1"), ADA)
            await store.add_thread_item("thr_1", message("msg_1", large_text()), ADA)
            await store.add_thread_item("thr_1", answer("msg_2"), ADA)

        asyncio.run(ask())
    return stage


async def count(stage):
    """Counts a run and a thumb, with the texts of their questions. Each is new to the totals."""
    at, run = stamp(datetime.now(UTC)), uuid4().hex
    record = RunRecord(
        run_id=run,
        at=at,
        request="threads.create",
        owner="o",
        thread_id="thr_1",
        message_id="msg_1",
        provider="demo",
        model="demo",
        outcome="completed",
        duration_ms=1,
        unsupported=True,
    )
    ended = {"body": {"S": record.model_dump_json()}}
    marked = {"item": {"S": "msg_2"}, "at": {"S": at}, "kind": {"S": "negative"}}
    thumb = key(thread_partition("ada", "thr_1"), "FB#msg_2")
    return await takers(Settings(_env_file=None))[0].take(
        [
            stream_record(ended_run_key("ada", "thr_1", run), None, ended, f"{run}-1"),
            stream_record(thumb, None, marked, f"{run}-2"),
        ]
    )


def changes_do_everything(stage, role):
    """What the function does with the table, and what Lambda does with its role."""
    with stage.within("Changes", role):
        assert asyncio.run(count(stage)) == []

        streams = boto3.client("dynamodbstreams", region_name=REGION)
        (stream,) = streams.list_streams(TableName=TABLE)["Streams"]
        arn = stream["StreamArn"]
        shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
        begin = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )
        assert streams.get_records(ShardIterator=begin["ShardIterator"])["Records"]
        sqs = boto3.client("sqs", region_name=REGION)
        queue = next(v for k, v in stage.names.items() if k.startswith(QUEUE)).split(":")[-1]
        url = f"{sqs.meta.endpoint_url}/{ACCOUNT}/{queue}"
        sqs.send_message(QueueUrl=url, MessageBody="what failed")


def test_the_role_is_enough_and_every_right_in_it_is_used(stage):
    role = stage.role("Changes")
    changes_do_everything(stage, role)
    assert role.denied == []
    for statement in stage.statements("Changes"):
        for grant in [] if statement["Sid"] in LAMBDAS_OWN else grants(statement):
            alone = Role([grant], ACCOUNT)
            assert any(alone.permits(need) for need in role.asked), grant


def test_without_one_statement_something_breaks(stage):
    tried = {s["Sid"] for s in stage.statements("Changes")} - LAMBDAS_OWN
    assert tried == OF_TEXTS | {"Totals", "DataKey", "ReadStream", "ListStreams", "DeadLetters"}
    for sid in sorted(tried):
        role = stage.role("Changes", without=sid)
        with pytest.raises((ClientError, AssertionError)):
            changes_do_everything(stage, role)
        assert role.denied, sid


def test_it_reaches_no_row_of_a_person_and_no_file(stage):
    statements = [s for s in stage.statements("Changes") if s["Sid"] not in OF_TEXTS]
    role, table = Role(statements, ACCOUNT), stage.names_arn("Table")
    for partition in ("U#ada", "U#ada#T#t", "Q#ada", "L#stage#0", "K#@"):
        of_theirs = (("dynamodb:LeadingKeys", (partition,)),)
        for verb in ("GetItem", "Query", "PutItem", "DeleteItem"):
            assert not role.permits(Need(f"dynamodb:{verb}", table, given=of_theirs)), partition
    assert not role.permits(Need("dynamodb:Scan", table))
    assert not role.permits(Need("s3:GetObject", f"arn:aws:s3:::{BUCKET}/files/f/x"))


def test_without_texts_the_rights_are_the_same_behind_the_wall(synth, dev, template):
    def of(template):
        (role,) = (n for n in template.of_type("AWS::IAM::Role") if n.startswith("ChangesRole"))
        return statements_of(template, role)

    assert of(synth(isolation="session")["chatkit-dev"]) == of(dev)
    assert {s["Sid"] for s in of(template)} - {s["Sid"] for s in of(dev)} == OF_TEXTS | {"DataKey"}


def test_behind_the_wall_texts_are_read_for_the_person_who_has_written_them(synth):
    template = synth(**EVERYTHING)["chatkit-prod"]
    (role,) = (n for n in template.of_type("AWS::IAM::Role") if n.startswith("ChangesRole"))
    sids = {s["Sid"] for s in statements_of(template, role)}
    assert "Session" in sids
    assert not sids & OF_TEXTS
    told = template.only("AWS::Lambda::Function", "ChangesFunction")["Environment"]["Variables"]
    assert told["CHATKIT_REPORT_TEXT"] == "true"
    assert "CHATKIT_DATA_ROLE" in told


def test_the_stream_reaches_the_function_filtered_and_what_fails_for_good_is_kept(dev):

    mapping = dev.only("AWS::Lambda::EventSourceMapping", "ChangesStream")
    patterns = [json.loads(f["Pattern"]) for f in mapping["FilterCriteria"]["Filters"]]
    assert patterns == CHANGE_FILTERS
    assert len(patterns) <= 5  # Lambda's limit
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["MaximumRetryAttempts"] == 5
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert QUEUE in json.dumps(mapping["DestinationConfig"])
    changes, actions = (
        dev.only("AWS::Lambda::Function", f"{name}Function") for name in ("Changes", "Actions")
    )
    assert changes["Code"] == actions["Code"]
    told = changes["Environment"]["Variables"].keys()
    assert told == {"CHATKIT_TABLE", "CHATKIT_LOG_LEVEL"}
