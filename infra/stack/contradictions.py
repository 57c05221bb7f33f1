"""Finds settings of a stage that contradict each other."""

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from functions.llm.providers import DEFAULT_MODELS

if TYPE_CHECKING:
    from infra.stack.settings import StackSettings

_SECRET = re.compile(r"auth|key|password|secret|token", re.IGNORECASE)
"""In the names of headers whose values are secret."""
_COGNITO_SCOPES = {"openid", "email", "phone", "profile"}


def contradiction(settings: "StackSettings") -> str | None:
    """The first thing that does not fit together, in a line that names the settings."""
    if found := _open_secret(settings):
        return found
    of_sign_in = _changed(settings, "oidc_")
    of_the_pool = _changed(settings, "sign_")
    of_knowledge = [*_changed(settings, "embedding_"), *_changed(settings, "passage_")]
    for wrong, message in (
        (
            settings.provider == "compatible"
            and not (settings.model_base_url and _default_model(settings)),
            "provider=compatible needs modelBaseUrl and model",
        ),
        (
            "compatible" not in _providers(settings) and settings.model_base_url is not None,
            "modelBaseUrl needs provider=compatible",
        ),
        (
            "compatible" in _providers(settings) and settings.model_base_url is None,
            "models of a compatible server need modelBaseUrl",
        ),
        (
            "azure" in _providers(settings) and settings.azure_endpoint is None,
            "models of azure need azureEndpoint",
        ),
        (
            settings.provider == "azure" and _default_model(settings) is None,
            "provider=azure needs model: the name of a deployment",
        ),
        (
            "azure" not in _providers(settings) and settings.azure_endpoint is not None,
            "azureEndpoint needs provider=azure",
        ),
        (
            settings.bedrock_project is not None and settings.bedrock_endpoint != "mantle",
            "bedrockProject needs bedrockEndpoint=mantle",
        ),
        (
            (settings.bedrock_endpoint == "mantle" or settings.bedrock_base_url is not None)
            and "bedrock" not in _providers(settings),
            "bedrockEndpoint and bedrockBaseUrl need provider=bedrock",
        ),
        (
            settings.provider == "demo" and settings.model_secret is not None,
            "modelSecret needs a provider other than demo",
        ),
        (
            settings.provider == "bedrock" and settings.model_secret is not None,
            "modelSecret: provider=bedrock needs no key",
        ),
        (
            settings.provider == "demo"
            and bool(settings.model or settings.models or settings.fallback_model),
            "model, models and fallbackModel need a provider other than demo",
        ),
        (
            settings.event_text and not settings.publishes,
            "eventText needs domainEvents",
        ),
        (
            settings.example == "notify" and not (settings.alarm_email or settings.alarm_topic_arn),
            "example=notify needs alarmEmail or alarmTopicArn",
        ),
        (
            settings.voice is True
            and settings.provider not in {"openai", "gemini", "compatible"}
            and not settings.transcription_base_url,
            "voice=true needs transcriptionBaseUrl or a provider other than demo, bedrock, azure",
        ),
        (
            settings.voice is True
            and settings.provider == "compatible"
            and "openai" in _providers(settings)
            and not settings.transcription_base_url,
            "voice=true with provider=compatible and models of openai needs transcriptionBaseUrl",
        ),
        (
            settings.voice is False and settings.transcription_base_url is not None,
            "voice=false excludes transcriptionBaseUrl",
        ),
        (
            settings.transcription_secret is not None and settings.transcription_base_url is None,
            "transcriptionSecret needs transcriptionBaseUrl",
        ),
        (
            settings.otlp_headers_secret is not None and settings.otlp_endpoint is None,
            "otlpHeadersSecret needs otlpEndpoint",
        ),
        (
            settings.transcription_model is not None and not settings.transcribes,
            "transcriptionModel needs a provider that transcribes (see voice)",
        ),
        (
            settings.sign_in is not None and settings.auth != "oidc",
            "signIn=cognito excludes auth=anonymous (oidcOptional=true lets visitors chat too)",
        ),
        (
            settings.sign_in is not None
            and any(
                (
                    settings.oidc_issuer,
                    settings.oidc_client_id,
                    settings.oidc_audience,
                    settings.oidc_origins,
                )
            ),
            "signIn=cognito excludes oidcIssuer, oidcClientId, oidcAudience and oidcOrigins",
        ),
        (
            settings.sign_in is not None and not set(settings.scopes) <= _COGNITO_SCOPES,
            "oidcScopes: with signIn=cognito they are of openid, email, phone and profile",
        ),
        (
            settings.sign_in is not None and "openid" not in settings.scopes,
            "oidcScopes: signIn=cognito needs openid, without which there is no ID token",
        ),
        (
            settings.sign_in is not None and any(map(_is_plain, settings.allowed_origins)),
            "allowedOrigins: Cognito sends people back to https:// and http://localhost only",
        ),
        (
            settings.sign_in is None and bool(of_the_pool),
            f"{', '.join(of_the_pool)}: only with signIn=cognito",
        ),
        (
            settings.auth == "oidc" and settings.sign_in is None and settings.oidc_issuer is None,
            "auth=oidc needs oidcIssuer",
        ),
        (
            settings.auth == "oidc"
            and settings.sign_in is None
            and not (settings.oidc_client_id or settings.oidc_audience),
            "auth=oidc needs oidcClientId or oidcAudience",
        ),
        (
            settings.auth != "oidc" and bool(of_sign_in),
            f"{', '.join(of_sign_in)}: only with auth=oidc",
        ),
        (
            settings.turnstile_site_key is not None
            and settings.auth == "oidc"
            and not settings.oidc_optional,
            "turnstileSiteKey: auth=oidc without oidcOptional=true has no visitors to challenge",
        ),
        (
            settings.auth != "oidc"
            and any(server.exchange is not None for server in settings.mcp_servers),
            "mcpServers: an exchange needs auth=oidc",
        ),
        (
            bool(_models_with_roles(settings)) and settings.oidc_roles_claim is None,
            "models with roles need oidcRolesClaim",
        ),
        (
            _default_model(settings) in _models_with_roles(settings),
            f"models: {_default_model(settings)} is the default, so it can need no role",
        ),
        (
            settings.oidc_token == "id"  # noqa: S105
            and not (settings.oidc_client_id or settings.sign_in),
            "oidcToken=id needs oidcClientId",
        ),
        (
            settings.oidc_token == "id" and settings.oidc_audience is not None,  # noqa: S105
            "oidcAudience needs oidcToken=access",
        ),
        (
            bool(of_knowledge) and not settings.knowledge,
            f"{', '.join(of_knowledge)}: only with knowledge=true",
        ),
        (
            settings.embedding_base_url is not None
            and settings.embedding_provider not in {None, "compatible"},
            "embeddingBaseUrl needs embeddingProvider=compatible, or none",
        ),
        (
            settings.embedding_secret is not None and settings.embedding_base_url is None,
            "embeddingSecret needs embeddingBaseUrl",
        ),
        (
            settings.provider == "demo"
            and settings.embedding_provider in {"openai", "gemini", "azure"},
            "embeddingProvider: provider=demo has no keys; it can be bedrock, compatible, hashing",
        ),
        (
            settings.embedding_provider == "compatible"
            and settings.embedding_base_url is None
            and "compatible" not in _providers(settings),
            "embeddingProvider=compatible needs embeddingBaseUrl, or models of a compatible server",
        ),
        (
            settings.embedding_provider == "azure" and "azure" not in _providers(settings),
            "embeddingProvider=azure needs models of azure",
        ),
        (
            settings.domain_name is not None
            and not (settings.certificate_arn or settings.hosted_zone),
            "domainName needs certificateArn (in us-east-1) or hostedZone",
        ),
        (
            settings.domain_name is None
            and (settings.certificate_arn is not None or settings.hosted_zone is not None),
            "certificateArn and hostedZone need domainName",
        ),
        (
            settings.snap_start and settings.streaming == "web-adapter",
            "snapStart=true needs streaming=native: the adapter has no restore hooks",
        ),
        (
            settings.alarm_email is not None and settings.alarm_topic_arn is not None,
            "alarmEmail and alarmTopicArn exclude each other",
        ),
        (
            settings.needs_edge and settings.region is None,
            "waf, edgeAlarms and a certificate need a region: set AWS_REGION, or -c region=…",
        ),
    ):
        if wrong:
            return message
    return None


def _open_secret(settings: "StackSettings") -> str | None:
    """The first value of an MCP server that looks secret and would be in the template."""
    for server in settings.mcp_servers:
        for place, value in server.values():
            if isinstance(value, SecretStr) and _SECRET.search(place):
                return f'mcpServers: {server.name}: {place} has to name a secret: {{"secret": "…"}}'
    return None


def _providers(settings: "StackSettings") -> set[str]:
    """The providers that the settings name."""
    return {settings.provider, *(model.provider or settings.provider for model in settings.models)}


def _default_model(settings: "StackSettings") -> str | None:
    if settings.model:
        return settings.model
    if settings.models and settings.models[0].provider is not None:
        return settings.models[0].id
    return DEFAULT_MODELS.get(settings.provider)


def _models_with_roles(settings: "StackSettings") -> list[str]:
    return [model.id for model in settings.models if model.roles]


def _changed(settings: "StackSettings", prefix: str) -> list[str]:
    """The settings whose names begin like this and are not as they are by default."""
    return [
        str(field.alias)
        for name, field in type(settings).model_fields.items()
        if name.startswith(prefix)
        and getattr(settings, name) != field.get_default(call_default_factory=True)
    ]


def _is_plain(origin: str) -> bool:
    """Whether an origin has neither TLS nor the one name that Cognito lets go without."""
    address = urlsplit(origin)
    return address.scheme == "http" and address.hostname != "localhost"
