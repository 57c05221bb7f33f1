"""What a stage keeps: its key, its table, its files and its secrets."""

from dataclasses import dataclass

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.stack import models
from infra.stack.cdn import CHATKIT_CDN
from infra.stack.files import FilesBucket
from infra.stack.secret import Secrets
from infra.stack.settings import StackSettings
from infra.stack.table import ChatTable


@dataclass(frozen=True)
class StageData:
    """What the functions read and write. `key` encrypts it; without one, AWS's own keys do."""

    key: kms.Key | None
    table: ChatTable
    files: FilesBucket
    secrets: Secrets


def stage_data(scope: Construct, settings: StackSettings) -> StageData:
    keep = settings.deletion_protection
    removal_policy = RemovalPolicy.RETAIN if keep else RemovalPolicy.DESTROY
    key = (
        kms.Key(scope, "Key", enable_key_rotation=True, removal_policy=removal_policy)
        if settings.kms
        else None
    )
    table = ChatTable(scope, "Table", key=key, keep=keep, restored=settings.restored_table)
    files = FilesBucket(
        scope,
        "Files",
        key=key,
        keep=keep,
        origins=_upload_origins(settings),
        versions=settings.file_versions,
    )
    secrets = Secrets(
        scope,
        "Secrets",
        cookie_secret=settings.cookie_secret,
        model_secret=settings.model_secret,
        transcription_secret=settings.transcription_secret,
        embedding_secret=settings.embedding_secret,
        collector_secret=settings.otlp_headers_secret,
        mcp_secrets=[name for server in settings.mcp_servers for name in server.secret_names()],
        provider=settings.provider,
        key_providers=models.key_providers(settings),
        needs_turnstile_key=settings.turnstile_site_key is not None,
        key=key,
        removal_policy=removal_policy,
    )
    return StageData(key, table, files, secrets)


def _upload_origins(settings: StackSettings) -> list[str]:
    """The origins whose pages may upload and fetch files: ours, the allowed ones, ChatKit's frame.

    Without a domain the page's address comes from the distribution, which depends on the
    bucket, so any CloudFront address is allowed here. The signature in each URL protects a file.
    """
    page = f"https://{settings.domain_name}" if settings.domain_name else "https://*.cloudfront.net"
    return [page, *settings.allowed_origins, CHATKIT_CDN]
