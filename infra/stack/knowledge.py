"""What the assistant knows, as resources: vectors, and the function that fills their index.

An object under `knowledge/` sends S3's event to a queue, and Lambda hands it to the ingest
function. The index itself is made by that function (`functions.knowledge.vectors`), because its
name and its dimension follow from the embedding model: in the template, another model would have
CloudFormation delete the index that is still searched, before the new one is filled.
"""

from dataclasses import dataclass

from aws_cdk import Aws, CustomResource, Duration, Fn, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_s3vectors as s3vectors
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.stack.function import ServiceFunction
from infra.stack.role import WithRole

DOCUMENTS = "knowledge/"
"""Where the documents lie in the bucket of files."""

INDEXES = "knowledge-index/"
"""Where their words and their passages lie."""

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
    """S3 Vectors arranges an index anew in the background, and reads it with this right:
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


class Removal(WithRole):
    """Deletes the indexes before the bucket, which CloudFormation can delete only without them:
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_S3VectorBuckets_DeleteVectorBucket.html

    The function runs when the stack is deleted, or when `knowledge` is turned off.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vectors: VectorBucket,
        code: lambda_.Code,
        architecture: lambda_.Architecture,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        # The function's logs go into the group of what runs at a deploy: `give_logs`.
        function = lambda_.Function(
            self,
            "Function",
            description="Deletes the indexes of the vector bucket with the stack",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=architecture,
            code=code,
            handler="functions.ingest.removal.handler",
            timeout=Duration.minutes(5),
            memory_size=256,
            role=self.role.without_policy_updates(),
        )
        self.allow("Indexes", ["s3vectors:ListIndexes"], [vectors.arn])
        self.allow("Delete", ["s3vectors:DeleteIndex"], [vectors.indexes])
        self.resource = CustomResource(
            self,
            "Indexes",
            service_token=function.function_arn,
            resource_type="Custom::VectorIndexes",
            properties={"VectorBucket": vectors.name},
        )
        self.resource.node.add_dependency(self.role)


@dataclass(frozen=True)
class DocumentQueue:
    """The events that wait, and those that were given up."""

    waiting: sqs.Queue
    dead_letters: sqs.Queue


def subscribe_to_documents(function: ServiceFunction, bucket: s3.IBucket) -> DocumentQueue:
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
            kind, notifications.SqsDestination(waiting), s3.NotificationKeyFilter(prefix=DOCUMENTS)
        )
    return DocumentQueue(waiting, dead_letters)


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


