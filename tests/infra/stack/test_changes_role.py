"""The changes function reads the table's stream and keeps totals, and no row of anybody."""

import asyncio
import json
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from functions.aws import owner_sessions
from functions.changes.changes import Changes
from functions.changes.takers import takers
from functions.context import RequestContext
from functions.run_record import RunRecord
from functions.settings import get_settings
from functions.store import DynamoDBStore
from functions.store.schema import CHANGE_FILTERS
from infra.stack.context import SettingsError, read_settings
from tests.changes.test_happened import RUN, record
from tests.infra.stack.conftest import ANYTHING
from tests.infra.stack.iam import Need, Role, grants, statements_of
from tests.infra.stack.stage import (
    ACCOUNT,
    BUCKET,
    LAMBDAS_OWN,
    TABLE,
    Stage,
    lambda_feeds_it,
    large_text,
)
from tests.infra.stack.variants import EVERYTHING
from tests.store.samples import answer, message, thread

QUEUE = "ChangesDeadLetters"
PUBLISHES = {"kms": "true", "domainEvents": "true", "eventText": "true", "reportText": "true"}
STREAM = {"ReadStream", "ListStreams", "DeadLetters"}
READS = {"Texts", "Index", "LargeTexts"}
ADA = "U#ada#T#thr_1"


@pytest.fixture(scope="module")
def template(synth):
    """With everything that the function may do, behind the wall."""
    return synth(**PUBLISHES, isolation="session")["chatkit-dev"]


@pytest.fixture(scope="module")
def open_stage(synth, names, model, model_url):
    """The same without the wall. Its resources have the same names."""
    return Stage(synth(**PUBLISHES)["chatkit-dev"], names, model, model_url)


@pytest.fixture(scope="module")
def wrote(stage):
    """A message and its answer, whose body is in S3; the records that tell of them."""

    async def write():
        store, ada = DynamoDBStore(TABLE, bucket=BUCKET), RequestContext(user_id="ada")
        with owner_sessions.acting_for("ada"):
            await store.save_thread(thread("thr_1"), ada)
            await store.add_thread_item("thr_1", message("m", "Hi"), ada)
            await store.add_thread_item("thr_1", answer("a", large_text()), ada)

    with stage.within("Changes", Role([ANYTHING], ACCOUNT)):
        asyncio.run(write())
    ended = {**RUN, "thread_id": "thr_1", "message_id": "m", "unsupported": True}
    body = RunRecord.model_validate(ended).model_dump_json()
    said = {"type": {"S": "user_message"}, "id": {"S": "m"}}
    return [
        record("INSERT", "ITEM#m", pk=ADA, new=said),
        record("INSERT", "ENDED#r1", pk=ADA, new={"body": {"S": body}}),
    ]


def changes_do_everything(stage, role, wrote):
    """What the function does with the table and the bus, and what Lambda does with its role."""
    with stage.within("Changes", role):
        takers_of_it = takers(get_settings())
        # New records, because what was counted once is not counted again.
        records = [{**each, "eventID": uuid4().hex} for each in wrote]
        failed = asyncio.run(Changes(takers_of_it).handle({"Records": records}))
        assert failed == {"batchItemFailures": []}

        queue = next(v for k, v in stage.names.items() if k.startswith(QUEUE)).split(":")[-1]
        lambda_feeds_it(queue)


@pytest.fixture(params=["stage", "open_stage"])
def either(request):
    return request.getfixturevalue(request.param)


def test_the_role_is_enough_and_every_right_in_it_is_used(either, wrote):
    role = either.role("Changes")
    changes_do_everything(either, role, wrote)
    assert role.denied == []
    for statement in either.statements("Changes"):
        for grant in [] if statement["Sid"] in LAMBDAS_OWN else grants(statement):
            alone = Role([grant], ACCOUNT)
            assert any(alone.permits(need) for need in role.asked), grant


def test_without_one_statement_something_breaks(either, wrote):
    tried = {s["Sid"] for s in either.statements("Changes")} - LAMBDAS_OWN
    reads = {"Session"} if either.isolated else READS
    assert tried == {"Totals", "DataKey", "Publish"} | STREAM | reads
    for sid in sorted(tried):
        role = either.role("Changes", without=sid)
        with pytest.raises((ClientError, AssertionError)):
            changes_do_everything(either, role, wrote)
        assert role.denied, sid


def test_it_reaches_no_row_of_a_person_and_no_file(stage):
    """By itself, behind the wall. Without it, only where texts are asked for, and only to read."""
    role, table = stage.role("Changes"), stage.names_arn("Table")
    for partition in ("U#ada", "U#ada#T#t", "Q#ada", "L#stage#0", "K#@"):
        of_theirs = (("dynamodb:LeadingKeys", (partition,)),)
        for verb in ("GetItem", "Query", "PutItem", "DeleteItem"):
            assert not role.permits(Need(f"dynamodb:{verb}", table, given=of_theirs)), partition
    assert not role.permits(Need("dynamodb:Scan", table))
    assert not role.permits(Need("s3:GetObject", f"arn:aws:s3:::{BUCKET}/files/f/x"))


def test_the_rights_are_the_same_behind_the_wall(synth, dev):
    def of(template):
        (role,) = (n for n in template.of_type("AWS::IAM::Role") if n.startswith("ChangesRole"))
        return statements_of(template, role)

    assert of(synth(isolation="session")["chatkit-dev"]) == of(dev)


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


def rules_of(template):
    """The rules that match events. The others start something by the hour."""
    rules = [rule["Properties"] for rule in template.of_type("AWS::Events::Rule").values()]
    return [rule for rule in rules if "EventPattern" in rule]


def test_by_default_nothing_is_published_and_there_is_no_bus(dev):
    assert dev.of_type("AWS::Events::EventBus") == {}
    assert rules_of(dev) == []
    told = dev.only("AWS::Lambda::Function", "ChangesFunction")["Environment"]["Variables"]
    assert "CHATKIT_EVENT_BUS" not in told


def test_only_the_changes_function_publishes_and_on_the_stages_own_bus(synth):
    template = synth(domainEvents="true")["chatkit-dev"]
    ((bus, made),) = template.of_type("AWS::Events::EventBus").items()
    assert made["Properties"]["Name"] == "ChatKit-dev"
    assert rules_of(template) == []
    allowed = {
        name: statement
        for name in template.of_type("AWS::IAM::Role")
        for statement in statements_of(template, name)
        if "events:PutEvents" in json.dumps(statement)
    }
    ((role, statement),) = allowed.items()
    assert role.startswith("ChangesRole")
    assert statement["Resource"] == {"Fn::GetAtt": [bus, "Arn"]}
    told = template.only("AWS::Lambda::Function", "ChangesFunction")["Environment"]["Variables"]
    assert told["CHATKIT_STAGE"] == "dev"
    assert bus in json.dumps(told["CHATKIT_EVENT_BUS"])


def test_the_example_tells_the_alarms_topic_and_keeps_what_it_does_not_take(synth):
    template = synth(**EVERYTHING)["chatkit-prod"]
    (topic,) = template.of_type("AWS::SNS::Topic")
    (queue,) = (n for n in template.of_type("AWS::SQS::Queue") if "Notify" in n)
    patterns = []
    for rule in rules_of(template):
        patterns.append(rule["EventPattern"])
        (target,) = rule["Targets"]
        assert target["Arn"] == {"Ref": topic}
        assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": [queue, "Arn"]}}
        assert "RoleArn" in target
    assert patterns == [
        {
            "detail-type": ["feedback.given"],
            "detail": {"kind": ["negative"]},
            "source": ["chatkit"],
        },
        {"detail-type": ["answer.failed"], "source": ["chatkit"]},
    ]


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"example": "notify"}, "example=notify needs alarmEmail or alarmTopicArn"),
        ({"eventText": "true", "reportText": "true"}, "eventText needs domainEvents"),
    ],
)
def test_an_example_that_could_tell_nobody_and_text_of_no_event_are_refused(typed, why):
    with pytest.raises(SettingsError, match=why):
        read_settings(typed)
