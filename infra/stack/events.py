"""The events that the events function gets: deleted rows and finished uploads.

They have a function of their own, so that they take no slot from a person who waits: a thousand
uploads or deletions at once only make events wait for each other.
"""

import json
from typing import Any, NamedTuple

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.stack.function import ServiceFunction

MEMORY = 512
"""MB. The function needs some 100 MB, and nobody waits for it, so it needs no whole CPU."""

TIMEOUT = 300
"""Seconds for one event. To purge the longest threads takes minutes, and what a timeout leaves is
done by the next attempt."""

RETRIES = 5
"""Attempts for a batch of the stream. Each attempt halves it, which isolates a bad record."""

MAX_AGE = Duration.hours(6)
"""Age at which an event is given up. Lambda's limit is 6 hours; the stream keeps records a day."""


class Subscriptions(NamedTuple):
    dead_letters: sqs.Queue
    stream: lambda_.EventSourceMapping


def subscribe(
    function: ServiceFunction,
    *,
    table: dynamodb.ITable,
    stream_filters: list[dict[str, Any]],
    bucket: s3.IBucket,
    upload_prefix: str,
) -> Subscriptions:
    """Subscribe a function to the table's stream and to the bucket's notifications.

    Retries are limited. Events that still fail are kept for two weeks in one dead-letter queue.
    """
    dead_letters, stream = read_stream(function, table=table, filters=stream_filters)
    function.alias.configure_async_invoke(
        retry_attempts=2,
        max_event_age=MAX_AGE,
        on_failure=destinations.SqsDestination(dead_letters),
    )
    bucket.add_event_notification(
        s3.EventType.OBJECT_CREATED,
        notifications.LambdaDestination(function.alias),
        s3.NotificationKeyFilter(prefix=upload_prefix),
    )
    return Subscriptions(dead_letters, stream)


def dead_letter_queue(scope: Construct, construct_id: str) -> sqs.Queue:
    """A queue that keeps for two weeks what could not be handled."""
    return sqs.Queue(
        scope,
        construct_id,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(14),
        removal_policy=RemovalPolicy.DESTROY,
    )


def read_stream(
    function: ServiceFunction, *, table: dynamodb.ITable, filters: list[dict[str, Any]]
) -> Subscriptions:
    """Subscribe a function to the table's stream. A shard takes two such readers."""
    dead_letters = dead_letter_queue(function, "DeadLetters")
    function.allow("DeadLetters", ["sqs:SendMessage"], [dead_letters.queue_arn])
    function.allow(
        "ReadStream",
        ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
        [str(table.table_stream_arn)],
    )
    # ListStreams only returns names, and IAM cannot limit it to one resource:
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
    function.allow("ListStreams", ["dynamodb:ListStreams"], ["*"])

    stream = lambda_.EventSourceMapping(
        function,
        "Stream",
        target=function.alias,
        event_source_arn=table.table_stream_arn,
        # A new mapping reads what the stream still holds (a day), so that it misses nothing.
        # To handle a record twice is safe.
        starting_position=lambda_.StartingPosition.TRIM_HORIZON,
        batch_size=10,
        bisect_batch_on_error=True,
        retry_attempts=RETRIES,
        max_record_age=MAX_AGE,
        report_batch_item_failures=True,
        on_failure=sources.SqsDlq(dead_letters),
        filters=[{"pattern": json.dumps(pattern)} for pattern in filters],
    )
    # AWS refuses the mapping until the role can read the stream.
    stream.node.add_dependency(function.role)
    return Subscriptions(dead_letters, stream)
