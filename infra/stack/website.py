"""The page's bucket, and the deployment of its files."""

from pathlib import Path
from typing import Any

from aws_cdk import Duration, RemovalPolicy, Size
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as deployment
from constructs import Construct

from infra.stack.function import log_group

HASHED = "assets/*"
"""Vite puts a hash of the content into these files' names, so a file never changes."""


class SiteBucket(Construct):
    """Private; only CloudFront reads it. Its content can be built again at any time."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=RemovalPolicy.DESTROY,
            auto_delete_objects=True,
            lifecycle_rules=[
                s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(1))
            ],
        )


class Page(Construct):
    """Puts the built page and its `config.json` into the bucket on each deploy.

    The hashed files come first, are cached for ever and are never deleted, so that an open
    page still finds its files after a deploy. `index.html`, which names them, comes second;
    browsers check it on each visit. A deployment runs only when its files have changed, and
    removes only those files from CloudFront's cache.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        site: SiteBucket,
        distribution: cloudfront.IDistribution,
        built: Path,
        config: dict[str, Any],
        log_retention_days: int,
    ) -> None:
        super().__init__(scope, construct_id)
        logs = log_group(self, "Logs", retention_days=log_retention_days)
        files = deployment.Source.asset(str(built))
        ask_again = deployment.CacheControl.from_string("no-cache")

        assets = deployment.BucketDeployment(
            self,
            "Assets",
            destination_bucket=site.bucket,
            sources=[files],
            exclude=["*"],
            include=[HASHED],
            prune=False,
            cache_control=[
                deployment.CacheControl.from_string("public, max-age=31536000, immutable")
            ],
            memory_limit=256,
            ephemeral_storage_size=Size.mebibytes(512),
            log_group=logs,
        )
        index = deployment.BucketDeployment(
            self,
            "Index",
            destination_bucket=site.bucket,
            sources=[files],
            exclude=[HASHED],
            prune=False,
            cache_control=[ask_again],
            distribution=distribution,
            distribution_paths=["/index.html"],
            memory_limit=256,
            ephemeral_storage_size=Size.mebibytes(512),
            log_group=logs,
        )
        index.node.add_dependency(assets)
        deployment.BucketDeployment(
            self,
            "Config",
            destination_bucket=site.bucket,
            sources=[deployment.Source.json_data("config.json", config)],
            prune=False,
            cache_control=[ask_again],
            distribution=distribution,
            distribution_paths=["/config.json"],
            memory_limit=256,
            ephemeral_storage_size=Size.mebibytes(512),
            log_group=logs,
        )
