"""The stack's settings: typed, checked, and each with a line that says what it is for.

They come from three places, the later one winning: `chatkit` in `cdk.json`,
`stages.<stage>` in `cdk.json`, and `-c name=value` on the command line. The
table in `docs/deploy.md` is made from this file.
"""

import difflib
import re
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import (
    AliasGenerator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from functions.settings import Settings

Provider = Literal["demo", "openai", "gemini", "compatible"]

_ORIGIN = re.compile(r"https?://[^/*\s]+")
_MIME_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]*/(\*|[a-z0-9][a-z0-9.+-]*)")
_FILES = Settings.model_fields


class SettingsError(Exception):
    """What is wrong with the settings, in one line for the person who typed them."""


class StackSettings(BaseModel):
    """One stage of the product."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(alias=to_camel),
        populate_by_name=True,
        extra="forbid",
        frozen=True,
    )

    # The stage
    stage: str = Field(
        "dev",
        pattern=r"^[a-z][a-z0-9-]{0,19}$",
        description="Name of the stage. The stack is `chatkit-<stage>`; stages share nothing.",
    )
    region: str | None = Field(
        None,
        pattern=r"^[a-z]{2}(-[a-z]+)+-\d$",
        description="Region of the stack. Without it the AWS profile's region is taken.",
    )
    deletion_protection: bool = Field(
        False,
        description="Keep the table, the files, the keys and the secrets when the stack is "
        "destroyed, and refuse to delete the table and the stack. Turn it on for people's data.",
    )

    # The model
    provider: Provider = Field(
        "demo",
        description="Who answers: `demo` needs no key; `openai`, `gemini`, or `compatible` with "
        "`modelBaseUrl` and `model`.",
    )
    model: str | None = Field(None, description="Name of the model. Each provider has a default.")
    models: list[str] = Field(
        default_factory=list,
        description="Further models that a visitor may pick, comma-separated.",
    )
    model_api: Literal["responses", "chat_completions"] | None = Field(
        None, description="Which of OpenAI's APIs the model speaks. Each provider has a default."
    )
    model_base_url: str | None = Field(
        None,
        pattern=r"^https://\S+$",
        description="Address of an OpenAI-compatible API, for `provider=compatible`.",
    )
    model_secret: str | None = Field(
        None,
        description="Name or ARN of an existing Secrets Manager secret with the model's key. "
        "Without it the stack makes one, and `make secret` fills it.",
    )
    voice: bool | None = Field(
        None,
        description="Dictation and voice notes. Without it they are on with `provider=openai`, "
        "`provider=gemini` or `transcriptionBaseUrl`; `true` says that a compatible endpoint "
        "listens too, `false` turns them off.",
    )
    transcription_base_url: str | None = Field(
        None,
        pattern=r"^https://\S+$",
        description="Address of a server with OpenAI's `/audio/transcriptions`, such as whisper, "
        "that hears in place of the model's provider.",
    )
    transcription_model: str | None = Field(
        None, description="Name of the model that hears. Each provider has a default."
    )
    transcription_secret: str | None = Field(
        None,
        description="Name or ARN of an existing secret with the key of `transcriptionBaseUrl`, "
        "where it wants one.",
    )
    cookie_secret: str | None = Field(
        None,
        description="Name or ARN of an existing secret (32 bytes or more) that signs anonymous "
        "visitors' cookies. Without it the stack makes one with a random value.",
    )

    # Who may ask
    auth: Literal["anonymous", "jwt"] = Field(
        "anonymous", description="`anonymous` visitors, or people with a `jwt` of your own."
    )
    jwt_issuer: str | None = Field(None, description="`iss` of the tokens, for `auth=jwt`.")
    jwt_audience: str | None = Field(None, description="`aud` of the tokens, for `auth=jwt`.")
    jwks_url: str | None = Field(
        None,
        pattern=r"^https://\S+$",
        description="Where the issuer's public keys are, for `auth=jwt`.",
    )
    allowed_origins: list[str] = Field(
        default_factory=list,
        description="Other origins whose pages may call the API, exact, comma-separated.",
    )

    # Files
    attachment_max_bytes: int = Field(
        _FILES["attachment_max_bytes"].default,
        ge=1,
        le=100 * 1024 * 1024,
        description="Bytes of the largest file that can be attached. Files pass through the "
        "streaming function's memory: more wants more `chatMemory`.",
    )
    attachment_types: list[str] = Field(
        default_factory=lambda: list(
            _FILES["attachment_types"].get_default(call_default_factory=True)
        ),
        min_length=1,
        description="Types of files that can be attached, comma-separated; `text/*` is all text.",
    )

    # The functions
    architecture: Literal["arm64", "x86_64"] = Field(
        "arm64", description="CPU of both functions. arm64 costs a fifth less."
    )
    streaming: Literal["native", "web-adapter"] = Field(
        "native",
        description="How answers stream: our own runtime loop, or AWS Lambda Web Adapter's layer.",
    )
    snap_start: bool = Field(
        False,
        description="Start from a snapshot: shorter cold starts, and the snapshot is billed as "
        "long as it is kept (docs/costs.md).",
    )
    chat_memory: int = Field(
        1769,
        ge=512,
        le=10240,
        description="MB for the streaming function. 1,769 MB is one whole CPU, which the imports "
        "of a cold start use.",
    )
    chat_timeout: int = Field(
        300,
        ge=60,
        le=900,
        description="Seconds for one answer. The run is ended 10 s before, with what there is.",
    )
    chat_concurrency: int = Field(
        20,
        ge=0,
        le=1000,
        description="Most answers at one time (reserved concurrency). 0 reserves none: needed in "
        "an account whose limit is still 10.",
    )
    actions_memory: int = Field(1024, ge=256, le=10240, description="MB for the actions function.")
    actions_timeout: int = Field(
        60,
        ge=10,
        le=300,
        description="Seconds for one action, one transcription or one batch of events.",
    )
    actions_concurrency: int = Field(
        10,
        ge=0,
        le=1000,
        description="Most actions at one time (reserved concurrency). 0 reserves none.",
    )
    log_retention_days: Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731] = (
        Field(30, description="Days that logs are kept.")
    )
    log_level: Literal["DEBUG", "INFO", "WARN", "ERROR"] = Field(
        "INFO", description="Least level of the functions' logs."
    )

    # The purse
    messages_per_minute: int = Field(
        10, ge=0, description="Most messages of one person in a minute. 0: no limit."
    )
    messages_per_day: int = Field(
        2000,
        ge=0,
        description="Most messages of the whole stage in a day (UTC). 0: no limit.",
    )

    # The page
    domain_key: str = Field(
        "local-dev",
        description="ChatKit's domain key for the page's domain, from OpenAI's dashboard. "
        "`chatkit.js` shows nothing on a real domain without one.",
    )
    domain_name: str | None = Field(
        None,
        max_length=253,
        pattern=r"^([a-z0-9-]+\.)+[a-z]{2,}$",
        description="Domain of the page. It needs `certificateArn` or `hostedZone`.",
    )
    certificate_arn: str | None = Field(
        None,
        pattern=r"^arn:aws:acm:us-east-1:\d{12}:certificate/\S+$",
        description="Certificate for `domainName`, in us-east-1.",
    )
    hosted_zone: str | None = Field(
        None,
        pattern=r"^Z[A-Z0-9]+/\S+$",
        description="Route 53 zone as `<id>/<name>` (`Z0123ABC/example.com`). The stack makes the "
        "domain's records there and, without `certificateArn`, the certificate in us-east-1.",
    )
    frame_ancestors: list[str] = Field(
        default_factory=list,
        description="Origins whose pages may show ours in a frame, comma-separated. None: nobody.",
    )
    price_class: Literal["100", "200", "all"] = Field(
        "100",
        description="CloudFront's edges: `100` is North America and Europe, the cheapest.",
    )

    # Protection and data
    waf: bool = Field(
        False,
        description="A web ACL in us-east-1: a rate rule and AWS's common rules.",
    )
    waf_rate_limit: int = Field(
        1000, ge=10, description="Requests of one address in five minutes, with `waf`."
    )
    kms: bool = Field(
        False,
        description="A KMS key of your own for the table, the files and the secrets. Set it "
        "before the first deploy: a table's key can change, but files keep the one they have.",
    )
    retention_days: int | None = Field(
        None,
        ge=1,
        description="Days after its last activity that a thread is kept. Without it: for ever.",
    )

    # Watching
    alarm_email: str | None = Field(
        None,
        pattern=r"^[^@\s]+@[^@\s]+$",
        description="Makes an SNS topic that mails alarms to this address.",
    )
    alarm_topic_arn: str | None = Field(
        None,
        pattern=r"^arn:aws:sns:\S+$",
        description="Sends alarms to an existing SNS topic.",
    )
    dashboard: bool = Field(True, description="A CloudWatch dashboard.")
    first_token_alarm_ms: int = Field(
        8000, ge=100, description="Alarm when the first token's p90 is later, in milliseconds."
    )
    input_token_price: float = Field(
        0.25, ge=0, description="Dollars for a million input tokens, for the spend alarm."
    )
    output_token_price: float = Field(
        2.0, ge=0, description="Dollars for a million output tokens, for the spend alarm."
    )
    daily_spend_alarm: float = Field(
        10.0, gt=0, description="Alarm when a day's tokens cost more, in dollars."
    )
    edge_alarms: bool = Field(
        False,
        description="Puts the alarm on CloudFront's errors into a stack in us-east-1. Not needed "
        "when `region` is us-east-1, where it is always made.",
    )

    @field_validator(
        "allowed_origins", "attachment_types", "frame_ancestors", "models", mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("log_retention_days", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        # `-c` gives strings, and a choice of numbers takes none.
        return int(value) if isinstance(value, str) and value.isdigit() else value

    @field_validator("allowed_origins", "frame_ancestors")
    @classmethod
    def _exact_origins(cls, origins: list[str]) -> list[str]:
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is not an exact origin such as https://example.com")
        return origins

    @field_validator("attachment_types")
    @classmethod
    def _types(cls, types: list[str]) -> list[str]:
        for kind in types:
            if not _MIME_TYPE.fullmatch(kind):
                raise ValueError(f"{kind!r} is not a type such as image/png or text/*")
        return types

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for wrong, message in (
            (
                self.provider == "compatible" and not (self.model_base_url and self.model),
                "provider=compatible needs modelBaseUrl and model",
            ),
            (
                self.provider != "compatible" and self.model_base_url is not None,
                "modelBaseUrl needs provider=compatible",
            ),
            (
                self.provider == "demo" and self.model_secret is not None,
                "modelSecret needs a provider other than demo",
            ),
            (
                self.provider == "demo" and bool(self.model or self.models),
                "model and models need a provider other than demo",
            ),
            (
                self.voice is True and self.provider == "demo" and not self.transcription_base_url,
                "voice=true needs transcriptionBaseUrl or a provider other than demo",
            ),
            (
                self.voice is False and self.transcription_base_url is not None,
                "voice=false excludes transcriptionBaseUrl",
            ),
            (
                self.transcription_secret is not None and self.transcription_base_url is None,
                "transcriptionSecret needs transcriptionBaseUrl",
            ),
            (
                self.transcription_model is not None and not self.hears,
                "transcriptionModel needs a provider that hears (see voice)",
            ),
            (
                self.auth == "jwt" and not (self.jwt_issuer and self.jwt_audience),
                "auth=jwt needs jwtIssuer and jwtAudience",
            ),
            (
                self.domain_name is not None and not (self.certificate_arn or self.hosted_zone),
                "domainName needs certificateArn (in us-east-1) or hostedZone",
            ),
            (
                self.domain_name is None
                and (self.certificate_arn is not None or self.hosted_zone is not None),
                "certificateArn and hostedZone need domainName",
            ),
            (
                self.snap_start and self.streaming == "web-adapter",
                "snapStart=true needs streaming=native: the adapter has no restore hooks",
            ),
            (
                self.alarm_email is not None and self.alarm_topic_arn is not None,
                "alarmEmail and alarmTopicArn exclude each other",
            ),
            (
                self.needs_edge and self.region is None,
                "region must be given with waf, edgeAlarms or a certificate to make",
            ),
        ):
            if wrong:
                raise ValueError(message)
        return self

    @property
    def hears(self) -> bool:
        """Whether speech is turned into text."""
        if self.voice is not None:
            return self.voice
        return self.transcription_base_url is not None or self.provider in {"openai", "gemini"}

    @property
    def gemini_transcribes(self) -> bool:
        """Whether Gemini does, which takes other formats than browsers record."""
        return self.hears and self.provider == "gemini" and self.transcription_base_url is None

    @property
    def needs_edge(self) -> bool:
        """Whether something has to live in us-east-1, in a stack of its own."""
        return self.waf or self.makes_certificate or self.edge_alarms

    @property
    def makes_certificate(self) -> bool:
        return self.hosted_zone is not None and self.certificate_arn is None


def read_settings(context: Mapping[str, Any]) -> StackSettings:
    """The settings in a CDK app's context.

    Raises `SettingsError` with one line for each thing that is wrong.
    """
    base = _block(context.get("chatkit"), "chatkit")
    stages = _block(context.get("stages"), "stages")
    typed = {name: value for name, value in context.items() if _is_ours(name)}
    stage = str(typed.get("stage", base.get("stage", "dev")))
    merged = {**base, "stage": stage, **_block(stages.get(stage), f"stages.{stage}"), **typed}
    # `-c name=` takes a setting back to its default.
    merged = {name: value for name, value in merged.items() if value != ""}
    try:
        return StackSettings.model_validate(merged)
    except ValidationError as error:
        lines = [_explain(dict(problem)) for problem in error.errors()]
        raise SettingsError("\n".join(lines)) from None


def _block(value: object, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SettingsError(f"{name} in cdk.json is not an object")
    return value


def _is_ours(name: str) -> bool:
    # The CDK keeps its flags (`@aws-cdk/…`), its own keys (`aws:cdk:…`) and its look-ups
    # (`availability-zones:account=…`) in the same place.
    return name not in {"chatkit", "stages"} and not re.search(r"[@:/]", name)


def _explain(problem: dict[str, Any]) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else ""
    if problem["type"] == "extra_forbidden":
        known = [field.alias or key for key, field in StackSettings.model_fields.items()]
        close = difflib.get_close_matches(name, known, n=1)
        return f"There is no setting {name!r}." + (f" Did you mean {close[0]}?" if close else "")
    message = str(problem["msg"]).removeprefix("Value error, ")
    if not name:
        return message
    return f"{name}={problem['input']!r}: {message}"
