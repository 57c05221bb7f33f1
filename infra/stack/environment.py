"""The functions' environment variables: names, addresses and limits, but no secret."""

import json
from dataclasses import dataclass

from aws_cdk import Token

from functions.metrics import NAMESPACE_VARIABLE
from functions.settings import Settings
from infra.stack import models
from infra.stack.files import FilesBucket
from infra.stack.secret import Secrets
from infra.stack.settings import StackSettings
from infra.stack.table import ChatTable

WRAPPER = "/var/task/functions/lambda_stream/bootstrap"
ADAPTER_ACCOUNT = "753240598075"
"""The AWS account that publishes the Lambda Web Adapter's layers:
https://github.com/awslabs/aws-lambda-web-adapter.
"""
ADAPTER_VERSION = 30
"""The layers' version of release 1.1.0."""
ADAPTER_PORT = 8080


@dataclass(frozen=True)
class Runtime:
    """How the streaming function starts."""

    handler: str
    environment: dict[str, str]
    layers: list[str]


def runtime(settings: StackSettings, *, region: str) -> Runtime:
    if settings.streaming == "native":
        return Runtime("functions.chat.handler.app", {"AWS_LAMBDA_EXEC_WRAPPER": WRAPPER}, [])
    cpu = {"arm64": "Arm64", "x86_64": "X86"}[settings.architecture]
    layer = f"LambdaAdapterLayer{cpu}:{ADAPTER_VERSION}"
    return Runtime(
        "functions/lambda_stream/web_adapter.sh",
        {
            "AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap",
            "AWS_LWA_INVOKE_MODE": "response_stream",
            "AWS_LWA_PORT": str(ADAPTER_PORT),
            "AWS_LWA_READINESS_CHECK_PATH": "/chatkit/health",
            # A connection that was open when the process froze is dead when it thaws.
            "AWS_LWA_POOL_IDLE_TIMEOUT_SECONDS": "1",
        },
        [f"arn:aws:lambda:{region}:{ADAPTER_ACCOUNT}:layer:{layer}"],
    )


def environment(
    settings: StackSettings, *, table: ChatTable, files: FilesBucket, secrets: Secrets
) -> dict[str, str]:
    """The variables of the two functions that people reach."""
    values: dict[str, str | None] = {
        "CHATKIT_TABLE": table.table.table_name,
        "CHATKIT_ATTACHMENTS_BUCKET": files.bucket.bucket_name,
        "CHATKIT_RETENTION_DAYS": str(settings.retention_days or ""),
        "CHATKIT_PURGE": "stream",
        "CHATKIT_COOKIE_KEY_SECRET": secrets.cookie.id,
        "CHATKIT_ASSISTANT": settings.assistant,
        **{f"CHATKIT_ASSISTANT_{name}": str(v) for name, v in settings.assistant_settings.items()},
        **models.variables(settings),
        "CHATKIT_TRANSCRIPTION": _transcription(settings),
        "CHATKIT_BEDROCK_GUARDRAIL": settings.bedrock_guardrail,
        "CHATKIT_SUMMARIES": str(settings.summaries).lower(),
        "CHATKIT_TRANSCRIPTION_BASE_URL": settings.transcription_base_url,
        "CHATKIT_TRANSCRIPTION_MODEL": settings.transcription_model,
        "CHATKIT_ATTACHMENT_MAX_BYTES": str(settings.attachment_max_bytes),
        "CHATKIT_ATTACHMENT_TYPES": ",".join(settings.attachment_types),
        "CHATKIT_PAGE_QUERY": str(settings.page_query).lower(),
        "CHATKIT_AUTH": settings.auth,
        **_sign_in(settings),
        "CHATKIT_TURNSTILE_SITE_KEY": settings.turnstile_site_key,
        "CHATKIT_ALLOWED_ORIGINS": ",".join(settings.allowed_origins),
        "CHATKIT_BEHIND_CLOUDFRONT": "true",
        "CHATKIT_LIMITS": settings.limit_table.model_dump_json(exclude_defaults=True),
        "CHATKIT_PRICES": json.dumps(settings.model_prices),
        "CHATKIT_ANSWER_TOKENS": str(settings.longest_answer or ""),
        "CHATKIT_LOG_LEVEL": settings.log_level,
        NAMESPACE_VARIABLE: metrics_namespace(settings),
    }
    for provider, secret in secrets.models.items():
        values[models.secret_variable(provider, settings)] = secret.id
    if secrets.transcription:
        values["CHATKIT_TRANSCRIPTION_API_KEY_SECRET"] = secrets.transcription.id
    if secrets.embedding:
        values["CHATKIT_EMBEDDING_API_KEY_SECRET"] = secrets.embedding.id
    if secrets.turnstile:
        values["CHATKIT_TURNSTILE_SECRET_NAME"] = secrets.turnstile.id
    return {name: value for name, value in values.items() if value}


def metrics_namespace(settings: StackSettings) -> str:
    """The namespace of a stage's metrics."""
    return f"ChatKit/{settings.stage}"


def mcp_servers(settings: StackSettings) -> dict[str, str]:
    """The variable of the streaming function alone, which is the one that has agents."""
    if not settings.mcp_servers:
        return {}
    servers = [server.as_json() for server in settings.mcp_servers]
    return {"CHATKIT_MCP_SERVERS": json.dumps(servers)}


def traces(settings: StackSettings, secrets: Secrets) -> dict[str, str]:
    """The variables of the streaming function alone, which records traces."""
    if settings.otlp_endpoint is None:
        return {}
    headers = (
        {} if secrets.collector is None else {"CHATKIT_OTLP_HEADERS_SECRET": secrets.collector.id}
    )
    return {"CHATKIT_OTLP_ENDPOINT": settings.otlp_endpoint, **headers}


def of_events(variables: dict[str, str]) -> dict[str, str]:
    """Those of the `variables` that the events function reads."""
    names = ("CHATKIT_TABLE", "CHATKIT_ATTACHMENTS_BUCKET", "CHATKIT_LOG_LEVEL")
    return {name: variables[name] for name in names}


def of_sweep(variables: dict[str, str]) -> dict[str, str]:
    """Those of the `variables` that the sweep function reads."""
    return {**of_events(variables), NAMESPACE_VARIABLE: variables[NAMESPACE_VARIABLE]}


def of_changes(variables: dict[str, str], settings: StackSettings) -> dict[str, str]:
    """Those of the `variables` that the changes function reads, and which texts it reads."""
    names = ["CHATKIT_TABLE", "CHATKIT_LOG_LEVEL"]
    if settings.reads_texts:
        names.append("CHATKIT_ATTACHMENTS_BUCKET")
    texts = {
        "CHATKIT_EVENT_TEXT": settings.event_text,
        "CHATKIT_REPORT_TEXT": settings.report_text,
    }
    return {name: variables[name] for name in names} | {
        name: "true" for name, wanted in texts.items() if wanted
    }


def _transcription(settings: StackSettings) -> str | None:
    """Who transcribes; `None` where the functions find it out by the only key that they have."""
    if not settings.transcribes:
        return "off"
    several = len(models.key_providers(settings)) > 1 and not settings.transcription_base_url
    return "gemini" if several and settings.provider == "gemini" else None


def _sign_in(settings: StackSettings) -> dict[str, str | None]:
    """The variables of `auth=oidc`, which are refused without it."""
    if settings.auth != "oidc":
        return {}
    return {
        "CHATKIT_OIDC_ISSUER": settings.oidc_issuer,
        "CHATKIT_OIDC_CLIENT_ID": settings.oidc_client_id,
        "CHATKIT_OIDC_AUDIENCE": settings.oidc_audience,
        "CHATKIT_OIDC_TOKEN": settings.oidc_token,
        "CHATKIT_OIDC_OPTIONAL": str(settings.oidc_optional).lower(),
        "CHATKIT_OIDC_SCOPES": settings.oidc_scopes,
        "CHATKIT_OIDC_USER_CLAIM": settings.oidc_user_claim,
        "CHATKIT_OIDC_NAME_CLAIM": settings.oidc_name_claim,
        "CHATKIT_OIDC_TENANT_CLAIM": settings.oidc_tenant_claim,
        "CHATKIT_OIDC_ROLES_CLAIM": settings.oidc_roles_claim,
    }


def settings_from(variables: dict[str, str]) -> Settings:
    """The settings that the functions read from `variables`. Raises `ValueError` as they do.

    What only AWS knows at the deploy stands in them as it is, because nobody can check it now.
    """
    unknown = {name: value for name, value in variables.items() if Token.is_unresolved(value)}
    known = {name: value for name, value in variables.items() if name not in unknown}
    later = {name.removeprefix("CHATKIT_").lower(): value for name, value in unknown.items()}
    return models.settings_of(known).model_copy(update=later)
