"""The bucket of attachments, spilled items, generated pictures and voice notes."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct


class FilesBucket(Construct):
    """Private, TLS only, and reached by browsers through presigned URLs alone.

    Versioning is off: what a person deletes is gone. CORS names no origin, because
    ChatKit's frame uploads as well as the page, and the signature in the URL is
    what gives access.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey | None,
        keep: bool,
        unsent_prefix: str,
        unsent_days: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=key,
            bucket_key_enabled=True if key else None,
            enforce_ssl=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=False,
            removal_policy=RemovalPolicy.RETAIN if keep else RemovalPolicy.DESTROY,
            auto_delete_objects=not keep,
            cors=[
                s3.CorsRule(
                    allowed_methods=[s3.HttpMethods.PUT, s3.HttpMethods.GET],
                    allowed_origins=["*"],
                    allowed_headers=["*"],
                    max_age=3600,
                )
            ],
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="unsent-uploads",
                    prefix=unsent_prefix,
                    expiration=Duration.days(unsent_days),
                ),
                s3.LifecycleRule(
                    id="aborted-multiparts",
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                ),
            ],
        )
