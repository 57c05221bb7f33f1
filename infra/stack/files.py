"""The bucket for attachments, large items, generated pictures and voice notes."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from functions.attachments import schema


class FilesBucket(Construct):
    """Private and TLS only. Browsers reach it only through presigned URLs.

    By default versioning is off, so a deleted file is really gone. With `versions`, one that was
    removed or replaced is kept for so many days.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey | None,
        keep: bool,
        origins: list[str],
        versions: int | None = None,
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
            versioned=versions is not None,
            removal_policy=RemovalPolicy.RETAIN if keep else RemovalPolicy.DESTROY,
            auto_delete_objects=not keep,
            cors=[
                s3.CorsRule(
                    allowed_methods=[s3.HttpMethods[method] for method in rule["AllowedMethods"]],
                    allowed_origins=rule["AllowedOrigins"],
                    allowed_headers=rule["AllowedHeaders"],
                    exposed_headers=rule["ExposeHeaders"],
                    max_age=rule["MaxAgeSeconds"],
                )
                for rule in schema.cors_rules(origins)
            ],
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="unsent-uploads",
                    prefix=schema.UPLOADS,
                    expiration=Duration.days(schema.UNSENT_DAYS),
                    noncurrent_version_expiration=Duration.days(schema.UNSENT_DAYS),
                ),
                s3.LifecycleRule(
                    id="aborted-multiparts",
                    abort_incomplete_multipart_upload_after=Duration.days(schema.MULTIPART_DAYS),
                ),
                s3.LifecycleRule(
                    id="old-versions",
                    noncurrent_version_expiration=Duration.days(versions or schema.VERSION_DAYS),
                    expired_object_delete_marker=True,
                ),
            ],
        )
