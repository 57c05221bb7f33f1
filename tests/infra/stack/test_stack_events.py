"""What reaches the second function without HTTP, and what becomes of failures."""

import json

import pytest

from functions.store import schema
from tests.infra.stack.parts import a_function, denies_plain_http


@pytest.fixture
def events(bare):
    from aws_cdk import aws_s3 as s3

    from infra.stack.events import Events
    from infra.stack.table import ChatTable

    def make(stack):
        Events(
            stack,
            "E",
            function=a_function(stack),
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
