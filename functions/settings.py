"""Settings, from the environment and from `.env` files at the root.

Well-known variables (`OPENAI_API_KEY`, `AWS_REGION`) keep their names; ours have the prefix
`CHATKIT_`. An environment variable takes precedence over `.env.local`, which takes precedence over
`.env`. In Lambda there is no `.env`, and keys are in Secrets Manager and not in the environment
(see `functions.aws.secret_values`).
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from .addresses import Address, SecureAddress, is_loopback
from .limit_table import LimitTable, Price
from .mcp.servers import McpServer, unique_names
from .model_list import ModelApi, Models, Provider

ROOT = Path(__file__).resolve().parent.parent

MB = 1024 * 1024


def _split(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def parsed_json(value: object) -> object:
    """The value of a text that is JSON; anything else as it is. Raises `ValueError`."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError("this is not JSON") from None


def _exact_origin(origin: str) -> str:
    scheme, _, host = origin.partition("://")
    if scheme not in {"http", "https"} or not re.fullmatch(r"[^/*\s]+", host):
        raise ValueError(
            f"{origin!r} is not an origin such as https://example.com (exact, no path, no *)"
        )
    return origin


def sendable_key(key: str) -> str:
    """The key without white space around it.

    Raises `ValueError` when it cannot be sent in a header.
    """
    key = key.strip()
    if not (key.isascii() and key.isprintable()):
        raise ValueError(
            "the key has a character that cannot be sent in a request, such as a line break or a "
            "curly quotation mark: copy it again"
        )
    return key


def _key(value: object) -> object:
    return sendable_key(value) if isinstance(value, str) else value


def _issuer(issuer: str) -> str:
    """Checks the form that OpenID Connect Discovery asks for, and returns it as it is.

    Tokens name the issuer exactly so, with or without a `/` at the end.
    https://openid.net/specs/openid-connect-discovery-1_0.html#IssuerDiscovery
    """
    address = urlsplit(issuer)
    local = address.scheme == "http" and is_loopback(address.hostname)
    if not address.hostname or not (address.scheme == "https" or local):
        raise ValueError("an issuer is an https:// address (http:// for this machine only)")
    if any(mark in issuer for mark in "?#@ "):
        raise ValueError("an issuer is an address without ?, #, @ and spaces")
    return issuer


ApiKey = Annotated[SecretStr, BeforeValidator(_key)]
"""A provider's key, which is sent in a header."""

# The stack's settings use these types too.
Issuer = Annotated[str, AfterValidator(_issuer)]
"""The address of an OpenID Connect issuer, exactly as its tokens name it."""

Names = Annotated[list[str], NoDecode, BeforeValidator(_split)]
"""A list, or text with commas between the names."""

BEDROCK_GUARDRAIL = (
    r"^([a-z0-9]+|arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:guardrail/[a-z0-9]+)"
    r":([1-9][0-9]{0,7}|DRAFT)$"
)
"""The id or ARN, then the version:
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ApplyGuardrail.html"""

Origins = Annotated[
    list[Annotated[str, AfterValidator(_exact_origin)]], NoDecode, BeforeValidator(_split)
]
"""Exact origins, as a list or as text like `Names`."""

BedrockEndpoint = Literal["runtime", "mantle"]
"""The one of Amazon Bedrock's two endpoints that speak OpenAI's APIs."""

McpServers = Annotated[
    list[McpServer], NoDecode, BeforeValidator(parsed_json), AfterValidator(unique_names)
]
"""MCP servers, as a list or as its JSON."""

EmbeddingProvider = Literal["openai", "gemini", "azure", "compatible", "bedrock", "hashing"]
"""Who turns passages into vectors. `hashing` runs offline, in this process, and knows no meaning:
it finds texts that share words and parts of words."""

OidcToken = Literal["access", "id"]
"""The kind of token that a signed-in person's page sends."""


class AwsSettings(BaseSettings):
    """The AWS settings, which are all that the store and the bucket need."""

    model_config = SettingsConfigDict(
        env_prefix="CHATKIT_",
        env_file=(ROOT / ".env", ROOT / ".env.local"),
        extra="ignore",
        env_ignore_empty=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    aws_endpoint_url: str | None = Field(None, validation_alias="AWS_ENDPOINT_URL")
    aws_region: str = Field(
        "us-east-1", validation_alias=AliasChoices("AWS_REGION", "AWS_DEFAULT_REGION")
    )
    data_role: str | None = None
    """ARN of the role that reaches one owner's rows and objects. The stack sets it with
    `isolation=session`: see `functions.aws.owner_sessions`."""


class Settings(AwsSettings):
    """All settings of the functions."""

    # Storage
    table: str = "chatkit"
    attachments_bucket: str = "chatkit-attachments"
    retention_days: int | None = Field(None, ge=1)
    """Days that a thread is kept after its last activity. It is kept for ever when unset."""
    purge: Literal["now", "stream"] = "now"
    """When the items and files of a deleted thread are removed: at once, or by the table's stream,
    as in AWS."""

    # Domain events
    stage: str = "local"
    """The name of the stage, which its events carry."""
    event_bus: str | None = None
    """The name of the bus of Amazon EventBridge that domain events are published on. None are
    published when it is unset."""
    event_text: bool = False
    """Whether events carry what people and the assistant have written."""

    # The report
    admin_role: str = Field("admin", min_length=1)
    """The role of people who may read the report: what everybody has used, and how good it was."""
    report_text: bool = False
    """Whether the report has the beginnings of questions that got a thumb down or no source."""

    # Assistant and model
    assistant: str | None = None
    """The dotted name of the assistant's module; the starter assistant when unset."""
    provider: Provider | None = None
    """Who answers. When unset, the first of these that is set decides: `OPENAI_BASE_URL` (a
    compatible server), the key of OpenAI, Gemini or Azure OpenAI. Without any, the demo answers."""
    model: str | None = None
    """The model that answers by default. Each provider has one of its own, but Azure OpenAI (where
    a model is the name of a deployment) and compatible servers."""
    model_api: ModelApi | None = None
    """Which of OpenAI's APIs the provider's models speak. Each provider has a default."""
    openai_api_key: ApiKey | None = Field(None, validation_alias="OPENAI_API_KEY")
    openai_base_url: Address | None = Field(None, validation_alias="OPENAI_BASE_URL")
    """The address of a compatible server. It gets `compatible_api_key`. Without that it gets
    `OPENAI_API_KEY`, but not where models of OpenAI are in use beside it."""
    compatible_api_key: ApiKey | None = None
    gemini_api_key: ApiKey | None = Field(None, validation_alias="GEMINI_API_KEY")
    azure_openai_endpoint: SecureAddress | None = Field(
        None, validation_alias="AZURE_OPENAI_ENDPOINT"
    )
    """The address of a resource of Azure OpenAI, such as `https://my.openai.azure.com`."""
    azure_openai_api_key: ApiKey | None = Field(None, validation_alias="AZURE_OPENAI_API_KEY")
    openai_api_key_secret: str | None = None
    compatible_api_key_secret: str | None = None
    gemini_api_key_secret: str | None = None
    azure_openai_api_key_secret: str | None = None
    bedrock_endpoint: BedrockEndpoint = "runtime"
    """`runtime` is what AWS recommends: a role is allowed single models there. `mantle` has models
    that `runtime` lacks, and a role is allowed whole projects there."""
    bedrock_project: str | None = Field(None, pattern=r"^(proj_[A-Za-z0-9]+|default)$")
    """The project of the endpoint `mantle`; the account's default one when unset."""
    bedrock_profile: str | None = None
    """The AWS profile that signs requests to Bedrock, for `make dev`, which has its own keys for
    everything else. In AWS the function's role signs."""
    bedrock_base_url: SecureAddress | None = Field(None, validation_alias="AWS_BEDROCK_BASE_URL")
    """Another address of Bedrock's endpoint, such as another path of `mantle`."""
    bedrock_guardrail: str | None = Field(None, pattern=BEDROCK_GUARDRAIL)
    """The guardrail that `toolkit.BedrockGuardrail` uses: `<id or ARN>:<version>`."""
    models: Models = Field(default_factory=list)
    """Further models that a visitor may pick, as text (`gpt-5 (staff admin)` is for people with one
    of these roles) or as JSON: see `functions.model_list`. When `model` is unset and the first of
    them names its provider, that one answers by default."""
    fallback_model: str | None = None
    """The id of the model that answers when another one fails before its first token: one of the
    picker's, or a further one of the same provider as the default."""
    mcp_servers: McpServers = Field(default_factory=list)
    """The MCP servers whose tools the assistant has."""
    store_responses: bool = False
    """Whether the model's provider may keep what it is sent, as its own default says."""
    history_items: int = Field(40, ge=1, le=500)
    history_tokens: int = Field(32_000, ge=250)
    """What a model gets of a conversation at most, estimated: some 128,000 characters of English.
    Long texts of the oldest turn that is sent are cut in their middle."""
    summaries: bool = True
    """Whether the beginning of a long conversation is summarised, before it would be left out."""

    # What the assistant knows
    knowledge: bool = False
    """Whether documents are indexed and searched."""
    vector_bucket: str = "chatkit-vectors"
    embedding_provider: EmbeddingProvider | None = None
    """Who makes the vectors. When unset: a compatible server where `embedding_base_url` is set,
    else the provider of the chat's default model. In the demo, `hashing`."""
    embedding_model: str | None = Field(None, min_length=1)
    """OpenAI, Gemini and Bedrock have a default; Azure OpenAI (where it is the name of a
    deployment) and compatible servers have none."""
    embedding_dimension: int | None = Field(None, ge=1, le=4096)
    """Numbers in a vector. Each default model has a default; other models may need it set."""
    embedding_base_url: Address | None = None
    """The address of a compatible server, such as `http://localhost:8080/v1`. When unset, the
    provider `compatible` is the server of the chat, `OPENAI_BASE_URL`."""
    embedding_api_key: ApiKey | None = None
    """The key of `embedding_base_url`, which gets no other key."""
    embedding_api_key_secret: str | None = None
    passage_tokens: int = Field(300, ge=50, le=2_000)
    """How long a passage is at most, estimated."""

    page_query: bool = False
    """Whether the model gets to know the query of the page's address, which any link may set."""

    # Traces
    otlp_endpoint: SecureAddress | None = None
    """The address of an OpenTelemetry collector, to which `/v1/traces` is added. Without one, no
    traces are recorded."""
    otlp_headers: SecretStr | None = None
    """What the collector asks for in headers, as `OTEL_EXPORTER_OTLP_HEADERS`: `name=value,…`."""
    otlp_headers_secret: str | None = None

    # Identity
    auth: Literal["anonymous", "oidc"] = "anonymous"
    oidc_issuer: Issuer | None = None
    oidc_client_id: str | None = None
    """The id of the page's client at the issuer."""
    oidc_audience: str | None = None
    """The name of this API at the issuer, which access tokens carry in `aud`."""
    oidc_token: OidcToken = "access"  # noqa: S105 - a kind of token
    oidc_optional: bool = False
    """Whether visitors without a token may chat too, as anonymous visitors."""
    oidc_scopes: str = "openid profile email"
    """What the page asks the issuer for, separated by spaces."""
    oidc_user_claim: str = "sub"
    oidc_name_claim: str = "name"
    oidc_tenant_claim: str | None = None
    oidc_roles_claim: str | None = None
    cookie_key: SecretStr | None = None
    cookie_key_secret: str | None = None
    turnstile_site_key: str | None = None
    """The widget of Cloudflare's Turnstile whose challenge comes before an anonymous identity is
    made. There is no challenge when it is unset."""
    turnstile_secret: ApiKey | None = None
    """The widget's secret key."""
    turnstile_secret_name: str | None = None
    turnstile_verify_url: SecureAddress = (
        "https://challenges.cloudflare.com/turnstile/v0/siteverify"
    )
    """The address that verifies solved challenges. Only tests use another one than Cloudflare's."""
    allowed_origins: Origins = Field(default_factory=list)
    behind_cloudfront: bool = False
    """Whether CloudFront is in front, with a function that overwrites `x-chatkit-viewer-host` and
    `x-chatkit-viewer-ip`. The stack sets it. Without such a function anybody can write them."""

    # Voice. On with an OpenAI or a Gemini key, unless `transcription` is "off".
    transcription: Literal["openai", "gemini", "off"] | None = None
    transcription_model: str | None = None
    transcription_base_url: Address | None = None  # anything with OpenAI's /audio/transcriptions
    transcription_api_key: ApiKey | None = None
    transcription_api_key_secret: str | None = None
    transcription_max_bytes: int = Field(25 * MB, ge=1_024, le=25 * MB)

    # Limits
    answer_seconds: float = Field(840, gt=0)
    """The longest time that an answer may take. Lambda's own limit is 15 minutes."""
    answer_margin_seconds: float = Field(10, gt=0)
    """An answer ends this long before the function's timeout, so that a partial answer is saved."""
    limits: Annotated[LimitTable, NoDecode, BeforeValidator(parsed_json)] = LimitTable()
    """What a person, a tenant, a network and the stage may use. The stack sets it."""
    messages_per_minute: int | None = Field(None, ge=1)
    """A short way to set the limit of one person, unless `limits` has one."""
    messages_per_day: int | None = Field(None, ge=1)
    """A short way to set the limit of the whole stage, unless `limits` has one."""
    prices: Annotated[dict[str, Price], NoDecode, BeforeValidator(parsed_json)] = Field(
        default_factory=dict
    )
    """What models cost, by their names."""
    answer_tokens: int | None = Field(None, ge=16)
    """What a model may write in one call at most, its reasoning included. The model's own limit
    when unset."""
    max_body_bytes: int = Field(4 * MB, ge=1_024, le=6 * MB)
    attachment_max_bytes: int = Field(20 * MB, ge=1)
    attachment_types: Names = Field(
        default_factory=lambda: [
            "image/png", "image/jpeg", "image/gif", "image/webp",
            "application/pdf", "text/*", "application/json",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ]
    )  # fmt: skip

    @property
    def limit_table(self) -> LimitTable:
        """`limits`, with the two that have a setting of their own."""
        table = self.limits.model_dump()
        for scope, name in (("person", "messages_per_minute"), ("stage", "messages_per_day")):
            table[scope][name] = table[scope][name] or getattr(self, name)
        return LimitTable.model_validate(table)

    @property
    def has_openai_key(self) -> bool:
        return bool(self.openai_api_key or self.openai_api_key_secret)

    @property
    def uses_openai(self) -> bool:
        """Whether OpenAI is asked for by name. Then no other server gets its key."""
        return "openai" in {self.provider, *(model.provider for model in self.models)}

    @property
    def has_gemini_key(self) -> bool:
        return bool(self.gemini_api_key or self.gemini_api_key_secret)

    @property
    def has_azure_key(self) -> bool:
        return bool(self.azure_openai_api_key or self.azure_openai_api_key_secret)

    @property
    def voice_provider(self) -> Literal["openai", "gemini"] | None:
        """The provider that transcribes speech, or None when voice is off.

        With `OPENAI_BASE_URL` and a key, that endpoint transcribes. Set `transcription="off"` when
        it cannot.
        """
        if self.transcription is not None:
            return None if self.transcription == "off" else self.transcription
        if self.transcription_base_url is not None:
            return "openai"
        if self.has_openai_key:
            return "openai"
        return "gemini" if self.has_gemini_key else None


class GivenSettings(Settings):
    """The settings from given values alone, without the environment and `.env`."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


@cache
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()


@cache
def get_aws_settings() -> AwsSettings:
    """The AWS settings, read once. An invalid value of another setting does not affect them."""
    return AwsSettings()


def forget_settings() -> None:
    """Make the two functions above read the environment again; for tests and `make dev`."""
    get_settings.cache_clear()
    get_aws_settings.cache_clear()
