"""The events that the actions function gets: deleted rows and finished uploads."""

import json
from typing import Any

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

RETRIES = 5
"""Attempts for a batch of the stream. Each attempt halves it, which isolates a bad record."""

MAX_AGE = Duration.hours(6)
"""Age at which an event is given up. Lambda's limit is 6 hours; the stream keeps records a day."""


class Events(Construct):
    """Subscribes the function to the table's stream and the bucket's notifications.

    Retries are limited. Events that still fail are kept for two weeks in one dead-letter queue.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function: ServiceFunction,
        table: dynamodb.ITable,
        stream_filters: list[dict[str, Any]],
        bucket: s3.IBucket,
        upload_prefix: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            removal_policy=RemovalPolicy.DESTROY,
        )
        function.allow("DeadLetters", ["sqs:SendMessage"], [self.dead_letters.queue_arn])
        function.allow(
            "ReadStream",
            ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
            [str(table.table_stream_arn)],
        )
        # ListStreams only returns names, and IAM cannot limit it to one resource:
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
        function.allow("ListStreams", ["dynamodb:ListStreams"], ["*"])

        mapping = lambda_.EventSourceMapping(
            self,
            "Stream",
            target=function.alias,
            event_source_arn=table.table_stream_arn,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=10,
            bisect_batch_on_error=True,
            retry_attempts=RETRIES,
            max_record_age=MAX_AGE,
            report_batch_item_failures=True,
            on_failure=sources.SqsDlq(self.dead_letters),
            filters=[{"pattern": json.dumps(pattern)} for pattern in stream_filters],
        )
        # AWS refuses the mapping until the role can read the stream.
        mapping.node.add_dependency(function.role)

        function.alias.configure_async_invoke(
            retry_attempts=2,
            max_event_age=MAX_AGE,
            on_failure=destinations.SqsDestination(self.dead_letters),
        )
        bucket.add_event_notification(
            s3.EventType.OBJECT_CREATED,
            notifications.LambdaDestination(function.alias),
            s3.NotificationKeyFilter(prefix=upload_prefix),
        )
