"""What the assistant knows, as resources: vectors, and the function that fills their index.

An object under `knowledge/` sends S3's event to a queue, and Lambda hands it to the ingest
function. The index itself is made by that function (`functions.knowledge.vectors`), because its
name and its dimension follow from the embedding model: in the template, another model would have
CloudFormation delete the index that is still searched, before the new one is filled.
"""

from dataclasses import dataclass
from typing import Any

from aws_cdk import Aws, CustomResource, Duration, Fn, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_s3vectors as s3vectors
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from functions.knowledge.documents import ORIGINALS
from infra.stack.function import ServiceFunction

MEMORY = 1769
"""MB: one whole CPU, which reading and splitting a document uses."""

TIMEOUT = 900
"""Seconds for one document: Lambda's limit. What a timeout leaves is done by the next attempt."""

VISIBILITY = Duration.seconds(TIMEOUT + 60)
"""How long a document that is being read is hidden from others, and so how long it waits for its
next attempt. Lambda asks for no less than the function's timeout. AWS advises six times that, for a
function that is throttled while it has messages; here Lambda takes no more of them than
`AT_ONCE`, and a killed attempt would wait for an hour and a half:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""

ATTEMPTS = 5
"""Attempts for one document. AWS advises five at least."""

AT_ONCE = 4
"""Documents that are read at one time. All of them change one file of words, and ask one provider
for vectors."""

_KEPT = Duration.days(14)


class VectorBucket(Construct):
    """The bucket of the index. Deleting the stack deletes it, unless it is to `keep`."""

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.Key | None, keep: bool
    ) -> None:
        super().__init__(scope, construct_id)
        made = s3vectors.CfnVectorBucket(
            self,
            "Bucket",
            encryption_configuration=s3vectors.CfnVectorBucket.EncryptionConfigurationProperty(
                sse_type="aws:kms", kms_key_arn=key.key_arn
            )
            if key
            else None,
        )
        made.apply_removal_policy(RemovalPolicy.RETAIN if keep else RemovalPolicy.DESTROY)
        if key:
            _let_the_index_be_kept_up(key)
        self.arn = made.attr_vector_bucket_arn
        # arn:…:bucket/<name>. No attribute has the name alone.
        self.name = Fn.select(1, Fn.split("/", self.arn))
        self.indexes = f"{self.arn}/index/*"
        self.keep = keep


def _let_the_index_be_kept_up(key: kms.Key) -> None:
    """Let S3 Vectors read an index in the background, which it arranges anew.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-data-encryption.html
    """
    buckets = Stack.of(key).format_arn(service="s3vectors", resource="bucket", resource_name="*")
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="S3Vectors",
            principals=[iam.ServicePrincipal("indexing.s3vectors.amazonaws.com")],
            actions=["kms:Decrypt"],
            resources=["*"],
            conditions={
                "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                "ArnLike": {"aws:SourceArn": buckets},
                "ForAnyValue:StringEquals": {
                    "kms:EncryptionContextKeys": ["aws:s3vectors:arn", "aws:s3vectors:resource-id"]
                },
            },
        )
    )


def delete_indexes_with_stack(
    scope: Construct, construct_id: str, *, vectors: VectorBucket, **function: Any
) -> CustomResource:
    """Delete the indexes before the bucket, which CloudFormation can delete only without them.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_S3VectorBuckets_DeleteVectorBucket.html

    The function runs when the stack is deleted, or when `knowledge` is turned off. `function` is as
    for `ServiceFunction`.
    """
    removal = ServiceFunction(
        scope,
        construct_id,
        description="Deletes the indexes of the vector bucket with the stack",
        handler="functions.ingest.removal.handler",
        memory=256,
        timeout=300,
        concurrency=0,
        environment={},
        layers=[],
        snap_start=False,
        **function,
    )
    removal.allow("ListIndexes", ["s3vectors:ListIndexes"], [vectors.arn])
    removal.allow("DeleteIndexes", ["s3vectors:DeleteIndex"], [vectors.indexes])
    resource = CustomResource(
        removal,
        "Indexes",
        service_token=removal.alias.function_arn,
        resource_type="Custom::VectorIndexes",
        properties={"VectorBucket": vectors.name},
    )
    resource.node.add_dependency(removal.role)
    return resource


@dataclass(frozen=True)
class Reading:
    """What reads documents: the function, the events that wait for it, and those given up."""

    ingest: ServiceFunction
    waiting: sqs.Queue
    dead_letters: sqs.Queue


def subscribe_to_documents(function: ServiceFunction, bucket: s3.IBucket) -> Reading:
    """Hand each event of a document to a function, some of them at one time.

    One event at a time to each: a document that kills its invocation takes no other with it.
    """
    dead_letters = _queue(function, "DeadLetters")
    waiting = _queue(
        function,
        "Documents",
        visibility_timeout=VISIBILITY,
        dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=ATTEMPTS, queue=dead_letters),
    )
    # What Lambda needs to read the queue:
    # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    function.allow(
        "ReadQueue",
        ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
        [waiting.queue_arn],
    )
    mapping = lambda_.EventSourceMapping(
        function,
        "Source",
        target=function.alias,
        event_source_arn=waiting.queue_arn,
        batch_size=1,
        max_concurrency=AT_ONCE,
        report_batch_item_failures=True,
    )
    # AWS refuses the mapping until the role can read the queue.
    mapping.node.add_dependency(function.role)
    for kind in (s3.EventType.OBJECT_CREATED, s3.EventType.OBJECT_REMOVED):
        bucket.add_event_notification(
            kind, notifications.SqsDestination(waiting), s3.NotificationKeyFilter(prefix=ORIGINALS)
        )
    return Reading(function, waiting, dead_letters)


def _queue(
    scope: Construct,
    construct_id: str,
    *,
    visibility_timeout: Duration | None = None,
    dead_letter_queue: sqs.DeadLetterQueue | None = None,
) -> sqs.Queue:
    return sqs.Queue(
        scope,
        construct_id,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=_KEPT,
        removal_policy=RemovalPolicy.DESTROY,
        visibility_timeout=visibility_timeout,
        dead_letter_queue=dead_letter_queue,
    )
