"""What reaches the events function, and what becomes of failures."""

import json

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from functions.store import schema
from functions.store.sweep import LEASE
from tests.infra.stack.parts import a_function, denies_plain_http
from tests.support.template import ACCOUNT, Template


@pytest.fixture
def events(bare):
    from aws_cdk import aws_s3 as s3

    from infra.stack.events import subscribe
    from infra.stack.table import ChatTable

    def make(stack):
        subscribe(
            a_function(stack, url=False),
            table=ChatTable(stack, "T", key=None, keep=False).table,
            stream_filters=schema.STREAM_FILTERS,
            bucket=s3.Bucket(stack, "B"),
            upload_prefix="uploads/",
        )

    return bare(make)


def test_the_stream_reaches_the_alias_filtered_and_with_bounded_retries(events):
    mapping = events.only("AWS::Lambda::EventSourceMapping")
    (alias,) = events.of_type("AWS::Lambda::Alias")
    assert f'"Ref": "{alias}"' in json.dumps(mapping["FunctionName"])
    assert mapping["FunctionName"]["Fn::Join"][1][1] == ":live"
    patterns = [json.loads(f["Pattern"]) for f in mapping["FilterCriteria"]["Filters"]]
    assert patterns == schema.STREAM_FILTERS
    assert len(patterns) <= 5  # Lambda's limit
    assert 0 < mapping["MaximumRetryAttempts"] <= 10
    assert mapping["MaximumRecordAgeInSeconds"] <= 86400
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_what_fails_for_good_is_kept_in_the_dead_letter_queue(events):
    (queue,) = events.of_type("AWS::SQS::Queue")
    arn = {"Fn::GetAtt": [queue, "Arn"]}
    mapping = events.only("AWS::Lambda::EventSourceMapping")
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"] == arn
    invoke = events.only("AWS::Lambda::EventInvokeConfig")
    assert invoke["DestinationConfig"]["OnFailure"]["Destination"] == arn
    assert invoke["MaximumRetryAttempts"] == 2
    settings = events.only("AWS::SQS::Queue")
    assert settings["MessageRetentionPeriod"] == 14 * 86400
    assert settings["SqsManagedSseEnabled"] is True
    assert denies_plain_http(events.only("AWS::SQS::QueuePolicy"))


def test_finished_uploads_are_told_to_the_alias(events):
    notification = events.only("Custom::S3BucketNotifications")["NotificationConfiguration"]
    (told,) = notification["LambdaFunctionConfigurations"]
    (alias,) = events.of_type("AWS::Lambda::Alias")
    assert told["LambdaFunctionArn"] == {"Ref": alias}
    assert told["Events"] == ["s3:ObjectCreated:*"]
    assert told["Filter"]["Key"]["FilterRules"] == [{"Name": "prefix", "Value": "uploads/"}]


def alias_in(part):
    """The function whose alias a part of the template refers to."""
    text = json.dumps(part)
    (name,) = {name for name in ("Chat", "Actions", "Events") if f'"{name}Alias' in text}
    return name


def test_events_go_to_a_function_of_their_own_that_nobody_can_call(templates):
    """So they take no slot from a person who waits."""
    for template in templates.values():
        mappings = template.of_type("AWS::Lambda::EventSourceMapping").values()
        told = template.of_type("Custom::S3BucketNotifications").values()
        invoked = template.of_type("AWS::Lambda::EventInvokeConfig").values()
        if not template.of_type("AWS::DynamoDB::Table"):
            assert [*mappings, *told, *invoked] == []
            continue
        (notified,) = told
        mapping = template.only("AWS::Lambda::EventSourceMapping", "EventsStream")
        assert alias_in(mapping["FunctionName"]) == "Events"
        asked = notified["Properties"]["NotificationConfiguration"]
        assert alias_in(asked["LambdaFunctionConfigurations"]) == "Events"
        assert asked.keys() <= {"LambdaFunctionConfigurations", "QueueConfigurations"}
        (queued,) = invoked
        assert "EventsFunction" in json.dumps(queued["Properties"]["FunctionName"])
        urls = template.of_type("AWS::Lambda::Url").values()
        assert {alias_in(url) for url in urls} == {"Chat", "Actions"}
        callers = {
            permission["Properties"]["Principal"]
            for permission in template.of_type("AWS::Lambda::Permission").values()
            if "EventsAlias" in json.dumps(permission["Properties"]["FunctionName"])
        }
        assert callers == {"s3.amazonaws.com"}


@pytest.mark.parametrize("setting", ["chat", "actions", "events"])
def test_each_function_has_a_concurrency_of_its_own_that_no_other_takes_from(synth, setting):
    """Also where one of them reserves none, as in an account whose limit is 10."""
    default = {"Chat": 20, "Actions": 10, "Events": 10}
    (template,) = synth(**{f"{setting}Concurrency": "0"}).values()
    reserved = {
        name: template.only("AWS::Lambda::Function", f"{name}Function").get(
            "ReservedConcurrentExecutions"
        )
        for name in default
    }
    assert reserved == default | {setting.title(): None}


def test_the_events_function_has_the_code_of_the_actions_function_and_knows_less(tmp_path):
    """One asset for both. What it is told leads to the table and the bucket, and to no secret."""
    from aws_cdk import App

    from infra.app import add_stage
    from infra.stack.context import read_settings

    for name in ("chat", "actions", "page"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(name)
    app = App(outdir=str(tmp_path / "out"))
    settings = read_settings({"provider": "openai"})
    page = tmp_path / "page"
    add_stage(app, settings, bundle=lambda name: tmp_path / name, page=page, account=ACCOUNT)
    template = Template(app.synth().stacks[0].template)
    chat, actions, events = (
        template.only("AWS::Lambda::Function", f"{name}Function")
        for name in ("Chat", "Actions", "Events")
    )
    assert events["Code"] == actions["Code"] != chat["Code"]
    assert events["Handler"] == "functions.events.handler.handler"
    assert events["Environment"]["Variables"].keys() == {
        "CHATKIT_TABLE",
        "CHATKIT_ATTACHMENTS_BUCKET",
        "CHATKIT_LOG_LEVEL",
    }


def test_the_sweep_is_started_every_hour_and_outlives_no_lease(templates):
    for template in templates.values():
        if not template.of_type("AWS::DynamoDB::Table"):
            continue
        rule = template.only("AWS::Events::Rule", "Sweep")
        assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 hour)", "ENABLED")
        (target,) = rule["Targets"]
        assert '"SweepAlias' in json.dumps(target["Arn"])
        function = template.only("AWS::Lambda::Function", "SweepFunction")
        assert function["Timeout"] < LEASE < 3600  # of an invocation that was killed
        assert function["Handler"] == "functions.events.sweep_handler.handler"


def test_a_deploy_over_version_0_1_moves_the_stream_with_its_position_and_loses_no_event(templates):
    """The mapping and the queue keep their logical ids, and what names its function may change in
    place. The actions function loses its code and its rights for events only after that.
    """
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(
        "us-east-1", "AWS::Lambda::EventSourceMapping"
    ).schema
    assert "/properties/FunctionName" not in schema["createOnlyProperties"]
    for template in templates.values():
        if not template.of_type("AWS::DynamoDB::Table"):
            continue
        mapping = "EventsStreamA348795C"
        assert mapping in template.of_type("AWS::Lambda::EventSourceMapping")
        assert "EventsDeadLetters8A90034E" in template.of_type("AWS::SQS::Queue")
        # For a mapping that is made anew: everything that the stream still holds.
        assert template.resources[mapping]["Properties"]["StartingPosition"] == "TRIM_HORIZON"
        for kind, name in (
            ("AWS::Lambda::Function", "ActionsFunction"),
            ("AWS::Lambda::Version", "ActionsFunctionCurrentVersion"),
            ("AWS::IAM::Policy", "ActionsRoleDefaultPolicy"),
        ):
            (found,) = (r for n, r in template.of_type(kind).items() if n.startswith(name))
            assert mapping in found["DependsOn"], name
