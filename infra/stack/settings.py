"""The settings of one stage, each with a line that says what it is for.

`infra.stack.context` reads them. The table in `docs/deploy.md` is made from this file.
"""

import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AliasGenerator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from functions.addresses import SecureAddress
from functions.errors import first_problem
from functions.limit_table import LimitTable, Price
from functions.model_list import ModelApi, Models
from functions.settings import (
    BEDROCK_GUARDRAIL,
    BedrockEndpoint,
    EmbeddingProvider,
    Issuer,
    McpServers,
    Names,
    OidcToken,
    Origins,
    Settings,
    parsed_json,
)
from infra.assistant_package import assistant_package
from infra.stack.contradictions import contradiction
from infra.stack.embedding import index_of
from infra.stack.limits import limit_contradiction, limit_table
from infra.stack.models import chosen

ANSWER_TOKENS = 8192
"""Some twelve pages, or an answer of two pages that a model has thought about."""

Provider = Literal["demo", "bedrock", "openai", "gemini", "azure", "compatible"]

_MIME_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]*/(\*|[a-z0-9][a-z0-9.+-]*)")
_FUNCTIONS = Settings.model_fields

JsonObject = Annotated[dict[str, Any], BeforeValidator(parsed_json)]
"""An object, or its JSON as text, which `-c` gives."""

_OF_COGNITO = {"auth": "oidc", "oidcToken": "id", "oidcRolesClaim": "cognito:groups"}


class StackSettings(BaseModel):
    """What one stage is made of."""

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
        description="Region of the stack. By default it is `AWS_REGION`, then the AWS profile's "
        "region.",
    )
    github_repository: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$",
        description="`owner/name` of the repository whose GitHub Actions may deploy this stage, "
        "without a key, from an environment that is called like the stage. See "
        "[Deploy from GitHub](#deploy-from-github).",
    )
    deletion_protection: bool = Field(
        False,
        description="Keep the table, the files, the keys, the secrets and the user pool when the "
        "stack is destroyed, and refuse to delete the table, the pool and the stack. Turn it on "
        "for people's data.",
    )

    restored_table: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_.-]{3,255}/stream/[0-9T:.-]+$",
        description="Name and stream of a table that `make restore` has made, as it prints them. "
        "The stage uses this one, and the stack's own stays as it is (docs/restore.md).",
    )

    # The assistant
    assistant: str | None = Field(
        None,
        pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$",
        description="Module of the assistant, such as `examples.support`. Its package is packed "
        "with what its `requirements.txt` names. By default it is the one in "
        "`functions/assistant`.",
    )
    assistant_settings: JsonObject = Field(
        default_factory=dict,
        description="The assistant's own settings as JSON, such as "
        '`{"API_URL": "https://example.com"}` for `CHATKIT_ASSISTANT_API_URL`. No secrets.',
    )

    # The model
    provider: Provider = Field(
        "demo",
        description="Who answers: `demo` and Amazon `bedrock` need no key; `openai`, `gemini`, "
        "`azure` with `azureEndpoint` and `model`, or `compatible` with `modelBaseUrl` and "
        "`model` (docs/models.md).",
    )
    model: str | None = Field(
        None,
        description="Name of the model, at `bedrock` also of an inference profile, at `azure` of a "
        "deployment. `openai`, `gemini` and `bedrock` have a default.",
    )
    models: Models = Field(
        default_factory=list,
        description="Further models that a visitor may pick, comma-separated. `gpt-5 (staff)` is "
        "for people with this role; of several roles, one is enough (`gpt-5 (staff admin)`). As "
        "JSON each may have a provider of its own (docs/models.md).",
    )
    fallback_model: str | None = Field(
        None,
        description="The model that answers when another one fails before its first token: one of "
        "`models`, or a further one of `provider`.",
    )
    model_api: ModelApi | None = Field(
        None, description="Which of OpenAI's APIs the model speaks. Each provider has a default."
    )
    mcp_servers: McpServers = Field(
        default_factory=list,
        description="MCP servers whose tools the assistant has, as JSON "
        '(docs/mcp.md): `[{"name": "shop", "url": "https://shop.example/mcp"}]`. The streaming '
        "function may read exactly the secrets that they name.",
    )
    store_responses: bool = Field(
        False,
        description="Whether the model's provider may keep what it is sent. By default it is asked "
        "not to (`store: false`).",
    )
    summaries: bool = Field(
        True,
        description="Summarise the beginning of a long conversation, before the model would no "
        "longer get it. Each summary is a call of the model. `false` leaves the beginning out.",
    )
    bedrock_guardrail: str | None = Field(
        None,
        pattern=BEDROCK_GUARDRAIL,
        description="A guardrail of Amazon Bedrock, as its id or ARN with its version "
        "(`abc123:1`), that the assistant's `BedrockGuardrail` may use (docs/guardrails.md).",
    )
    model_base_url: str | None = Field(
        None,
        pattern=r"^https://\S+$",
        description="Address of an OpenAI-compatible API, for `provider=compatible`.",
    )
    azure_endpoint: str | None = Field(
        None,
        pattern=r"^https://\S+$",
        description="Address of a resource of Azure OpenAI (`https://my.openai.azure.com`).",
    )
    bedrock_endpoint: BedrockEndpoint = Field(
        "runtime",
        description="Endpoint of Amazon Bedrock. At `runtime` the function may ask exactly the "
        "models named here. `mantle` has further models, and the function may ask all models of a "
        "project.",
    )
    bedrock_project: str | None = Field(
        None,
        pattern=r"^(proj_[A-Za-z0-9]+|default)$",
        description="Project for `bedrockEndpoint=mantle`; the account's default one when unset.",
    )
    bedrock_base_url: str | None = Field(
        None,
        pattern=r"^https://\S+$",
        description="Address of the endpoint of Amazon Bedrock where it is not the region's own: "
        "some models of `mantle` are under `/v1` and not under `/openai/v1`.",
    )
    model_secret: str | None = Field(
        None,
        description="Name or ARN of an existing Secrets Manager secret with the key of `provider`. "
        "By default the stack makes one, and `make secret` fills it.",
    )
    voice: bool | None = Field(
        None,
        description="Dictation and voice notes. By default they are on with `provider=openai`, "
        "`provider=gemini` or `transcriptionBaseUrl`. `true` turns them on for a compatible "
        "endpoint that transcribes too; `false` turns them off.",
    )
    transcription_base_url: str | None = Field(
        None,
        pattern=r"^https://\S+$",
        description="Address of a server with OpenAI's `/audio/transcriptions`, such as whisper. "
        "It transcribes instead of the model's provider.",
    )
    transcription_model: str | None = Field(
        None, description="Name of the model that transcribes. Each provider has a default."
    )
    transcription_secret: str | None = Field(
        None,
        description="Name or ARN of an existing secret with the key of `transcriptionBaseUrl`, "
        "if that server asks for one.",
    )
    cookie_secret: str | None = Field(
        None,
        description="Name or ARN of an existing secret that signs anonymous visitors' cookies: a "
        "key of 32 bytes or more, or a JSON list of keys, newest first. By default the stack makes "
        "one with a random value.",
    )

    otlp_endpoint: SecureAddress | None = Field(
        None,
        description="Address of an OpenTelemetry collector (OTLP over HTTP, without `/v1/traces`), "
        "which gets a trace of each answer.",
    )
    otlp_headers_secret: str | None = Field(
        None,
        description="Name or ARN of an existing secret with the headers that the collector asks "
        "for: `name=value,…`.",
    )

    page_query: bool = Field(
        False,
        description="Tell the model the query of the page's address, too. Any link may set it.",
    )

    # Who may ask
    auth: Literal["anonymous", "oidc"] = Field(
        "anonymous",
        description="Who may chat: `anonymous` visitors, each known by a cookie, or people who "
        "sign in at an `oidc` issuer (docs/sign-in.md).",
    )
    sign_in: Literal["cognito"] | None = Field(
        None,
        description="`cognito` makes a Cognito user pool with sign-in pages, and sets `auth` and "
        "what the `oidc` settings need for it (docs/sign-in.md).",
    )
    sign_up: bool = Field(
        False,
        description="With `signIn=cognito`, anybody may make an account. By default only an "
        "administrator makes them.",
    )
    sign_in_mfa: Literal["optional", "required"] = Field(
        "optional",
        description="With `signIn=cognito`, a second factor (an authenticator app). `required` has "
        "everybody set one up on the sign-in pages, which do not offer it when it is `optional`.",
    )
    sign_in_providers: Names = Field(
        default_factory=list,
        description="With `signIn=cognito`, the names of identity providers that you have added to "
        "the pool, such as `Google`, comma-separated.",
    )
    oidc_issuer: Issuer | None = Field(
        None,
        description="Address of the OpenID Connect issuer, exactly as its tokens name it in `iss`.",
    )
    oidc_client_id: str | None = Field(
        None, description="Id of the page's client at the issuer: a public one, with PKCE."
    )
    oidc_audience: str | None = Field(
        None, description="Name of this API at the issuer, which access tokens carry in `aud`."
    )
    oidc_token: OidcToken = Field(
        _FUNCTIONS["oidc_token"].default,
        description="Kind of token that the page sends: `access`, or `id` where access tokens "
        "lack names and roles, as Cognito's do.",
    )
    oidc_optional: bool = Field(
        False,
        description="Visitors without a token may chat too, as anonymous visitors.",
    )
    oidc_scopes: str = Field(
        _FUNCTIONS["oidc_scopes"].default,
        description="What the page asks the issuer for, separated by spaces.",
    )
    oidc_origins: Origins = Field(
        [],
        description="Further origins that the page calls to sign in, comma-separated: that of the "
        "issuer's token endpoint where it is not the issuer's own, such as the domain of a Cognito "
        "user pool.",
    )
    oidc_user_claim: str = Field(
        _FUNCTIONS["oidc_user_claim"].default,
        min_length=1,
        description="Claim that tells people apart. Changing it gives everybody an empty history.",
    )
    oidc_name_claim: str = Field(
        _FUNCTIONS["oidc_name_claim"].default,
        min_length=1,
        description="Claim with the person's name.",
    )
    oidc_tenant_claim: str | None = Field(
        None,
        description="Claim with the person's organisation. With it, whoever has none is refused, "
        "and nothing is shared between organisations.",
    )
    oidc_roles_claim: str | None = Field(
        None,
        description="Claim with the person's roles, such as `roles`, `cognito:groups` or "
        "`realm_access.roles`.",
    )
    turnstile_site_key: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]{1,100}$",
        description="Site key of a widget of Cloudflare's Turnstile, whose challenge new anonymous "
        "visitors have to solve first (docs/security.md). `make secret KEY=turnstile` stores the "
        "widget's secret key.",
    )
    allowed_origins: Origins = Field(
        default_factory=list,
        description="Other origins whose pages may call the API: exact, comma-separated.",
    )

    # Files
    attachment_max_bytes: PositiveInt = Field(
        _FUNCTIONS["attachment_max_bytes"].default,
        le=100 * 1024 * 1024,
        description="Bytes of the largest file that can be attached. Files pass through the "
        "streaming function's memory, so larger files need more `chatMemory`.",
    )
    attachment_types: Names = Field(
        default_factory=lambda: list(
            _FUNCTIONS["attachment_types"].get_default(call_default_factory=True)
        ),
        min_length=1,
        description="Types of files that can be attached, comma-separated; `text/*` is all text.",
    )

    # What the assistant knows
    knowledge: bool = Field(
        False,
        description="Documents that the assistant searches and cites (docs/knowledge.md): a vector "
        "bucket, a queue and a function that reads them. `make ingest STAGE=…` uploads them.",
    )
    embedding_provider: EmbeddingProvider | None = Field(
        None,
        description="With `knowledge`, who makes the vectors. By default the provider of the "
        "answers, or the server of `embeddingBaseUrl`; with `provider=demo` it is `hashing`, which "
        "knows no meaning.",
    )
    embedding_model: str | None = Field(
        None,
        min_length=1,
        description="Name of the model that makes the vectors. `openai`, `gemini` and `bedrock` "
        "have a default. Another one is used after `make ingest REINDEX=1`.",
    )
    embedding_dimension: int | None = Field(
        None, ge=1, le=4096, description="Numbers in a vector. Each default model has a default."
    )
    embedding_base_url: str | None = Field(
        None,
        pattern=r"^https://\S+$",
        description="Address of a server with OpenAI's `/embeddings`, if it is not `modelBaseUrl`.",
    )
    embedding_secret: str | None = Field(
        None,
        description="Name or ARN of an existing secret with the key of `embeddingBaseUrl`, if that "
        "server asks for one.",
    )
    passage_tokens: int = Field(
        _FUNCTIONS["passage_tokens"].default,
        ge=50,
        le=2_000,
        description="Tokens of the passages that documents are split into, at most.",
    )

    # The functions
    architecture: Literal["arm64", "x86_64"] = Field(
        "arm64", description="CPU of the functions. AWS charges less for arm64."
    )
    streaming: Literal["native", "web-adapter"] = Field(
        "native",
        description="How answers stream: our own runtime loop, or AWS Lambda Web Adapter's layer.",
    )
    snap_start: bool = Field(
        False,
        description="Start from a snapshot: shorter cold starts, and the snapshot is billed as "
        "long as it is kept (docs/costs.md). The events function has none: nobody waits for it.",
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
        description="Largest number of answers at one time (reserved concurrency). 0 reserves "
        "none, which an account whose limit is still 10 needs.",
    )
    actions_memory: int = Field(1024, ge=256, le=10240, description="MB for the actions function.")
    actions_timeout: int = Field(
        60,
        ge=10,
        le=300,
        description="Seconds for one action or one transcription.",
    )
    actions_concurrency: int = Field(
        10,
        ge=0,
        le=1000,
        description="Largest number of actions at one time (reserved concurrency). 0 reserves "
        "none.",
    )
    events_concurrency: int = Field(
        10,
        ge=0,
        le=1000,
        description="Largest number of events (uploads to check, deleted threads to purge) that "
        "are handled at one time (reserved concurrency); further ones wait. 0 reserves none.",
    )
    log_retention_days: Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731] = (
        Field(30, description="Days that logs are kept.")
    )
    log_level: Literal["DEBUG", "INFO", "WARN", "ERROR"] = Field(
        "INFO", description="Lowest level that the functions log."
    )

    # Limits
    limits: JsonObject = Field(
        default_factory=dict,
        description="Limits other than the defaults of docs/limits.md, as JSON: "
        '`{"person": {"messages_per_day": 50}}`. `null` turns one off.',
    )
    prices: JsonObject = Field(
        default_factory=dict,
        description="What models cost in dollars for a million tokens, as JSON: "
        '`{"gpt-5-mini": {"input": 0.25, "cached_input": 0.025, "output": 2}}`. For a model that '
        "is not named, `inputTokenPrice` and `outputTokenPrice` count.",
    )
    daily_budget: float | None = Field(
        None,
        gt=0,
        description="Dollars that the models may cost in a day (UTC). Then answers stop, an alarm "
        "goes off, and everything else goes on, until the day ends or `make budget` allows more.",
    )
    answer_tokens: int | None = Field(
        None,
        ge=0,
        description="Tokens that a model may write in one call at most, its reasoning included. "
        "So many are reserved for each answer until it has ended. 0: the model's own limit. By "
        "default 8192, and with `provider=compatible` the model's own: not every server takes it.",
    )
    messages_per_minute: int = Field(
        10, ge=0, description="Messages that one person may send in a minute. 0: no limit."
    )
    messages_per_day: int = Field(
        2000,
        ge=0,
        description="Messages that everybody together may send in a day (UTC). 0: no limit.",
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
    frame_ancestors: Origins = Field(
        default_factory=list,
        description="Origins whose pages may show this page in a frame: exact, comma-separated. "
        "By default no page may.",
    )
    image_sources: Origins | None = Field(
        None,
        description="Origins whose pictures the page may show besides its own and the files: "
        "exact, comma-separated; `[]` in `cdk.json` for none. By default any picture over HTTPS: "
        "the server that it comes from then learns the reader's address.",
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
    isolation: Literal["none", "session"] = Field(
        "none",
        description="A second wall between people: with `session` the functions reach rows and "
        "files only by a role whose session names the owner of the request, and AWS refuses "
        "everything else (docs/architecture.md). It costs a request to STS for each person whom an "
        "environment of a function does not know.",
    )
    kms: bool = Field(
        False,
        description="A KMS key of your own for the table, the files and the secrets. Set it "
        "before the first deploy: a table's key can change, but files keep the one they have.",
    )
    retention_days: PositiveInt | None = Field(
        None,
        description="Days that a thread is kept after its last activity. By default it is kept "
        "for ever.",
    )

    file_versions: int | None = Field(
        None,
        ge=1,
        le=365,
        description="Days that the bucket keeps files that were removed or replaced, so that "
        "`make restore` can bring them back. By default none: what is deleted is gone. The "
        "table's point-in-time recovery reaches back 35 days.",
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
    domain_events: bool = Field(
        False,
        description="Publish what happens (a thread is created, an answer is complete, feedback is "
        "given, …) on a bus of Amazon EventBridge, `ChatKit-<stage>`, for programs of yours "
        "(docs/events.md).",
    )
    event_text: bool = Field(
        False,
        description="With `domainEvents`, `message.received` and `answer.completed` carry what was "
        "said, up to 10,000 characters. By default no event has anybody's words.",
    )
    example: Literal["notify"] | None = Field(
        None,
        description="`notify` is an example of who reads `domainEvents`, which it turns on: a "
        "thumb down and a failed answer are told to the topic of the alarms.",
    )
    dashboard: bool = Field(True, description="A CloudWatch dashboard.")
    first_token_alarm_ms: int = Field(
        8000,
        ge=100,
        description="Alarm when one answer in ten takes longer to its first token, in "
        "milliseconds.",
    )
    admin_role: str = Field(
        _FUNCTIONS["admin_role"].default,
        min_length=1,
        description="Role of the people who may read the report of everybody's use, at `/admin` "
        "and `GET /chatkit/report` (docs/report.md). Only people who sign in have roles.",
    )
    report_text: bool = Field(
        False,
        description="Put the first 300 characters of a question that got a thumb down or no source "
        "into the report. By default it has no words of anybody.",
    )
    input_token_price: float = Field(
        0.25,
        ge=0,
        description="Dollars for a million input tokens, for the spend alarm and the budget.",
    )
    output_token_price: float = Field(
        2.0,
        ge=0,
        description="Dollars for a million output tokens, for the spend alarm and the budget.",
    )
    daily_spend_alarm: float = Field(
        10.0, gt=0, description="Alarm when a day's tokens cost more, in dollars."
    )
    edge_alarms: bool = Field(
        False,
        description="Puts the alarm on CloudFront's errors into a stack in us-east-1. Not needed "
        "when `region` is us-east-1, where it is always made.",
    )

    @model_validator(mode="before")
    @classmethod
    def _with_cognito(cls, typed: dict[str, Any]) -> dict[str, Any]:
        """What `signIn=cognito` decides where nothing else is typed."""
        return {**_OF_COGNITO, **typed} if typed.get("signIn") == "cognito" else typed

    @field_validator("assistant")
    @classmethod
    def _assistant_exists(cls, module: str | None) -> str | None:
        if module is not None and assistant_package(module) is None:
            raise ValueError(f"there is no {module} in this repository")
        return module

    @field_validator("log_retention_days", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        # `-c` gives strings, and a Literal of numbers does not convert them.
        return int(value) if isinstance(value, str) and value.isdigit() else value

    @field_validator("attachment_types")
    @classmethod
    def _types(cls, types: list[str]) -> list[str]:
        for kind in types:
            if not _MIME_TYPE.fullmatch(kind):
                raise ValueError(f"{kind!r} is not a type such as image/png or text/*")
        return types

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if found := contradiction(self):
            raise ValueError(found)
        chosen(self)  # raises what the functions would
        if self.knowledge:
            index_of(self)
        if found := limit_contradiction(self):
            raise ValueError(found)
        return self

    @field_validator("prices")
    @classmethod
    def _prices(cls, prices: dict[str, Any]) -> dict[str, Any]:
        for model, price in prices.items():
            try:
                Price.model_validate(price)
            except ValidationError as error:
                raise ValueError(f"{model}: {first_problem(error.errors())}") from None
        return prices

    @property
    def publishes(self) -> bool:
        return self.domain_events or self.example is not None

    @property
    def reads_texts(self) -> bool:
        """Whether the changes function reads what people have written."""
        return self.event_text or self.report_text

    @property
    def limit_table(self) -> LimitTable:
        """The limits of the functions. Raises `ValueError` for what is no limit."""
        changes = dict(self.limits)
        if self.daily_budget is not None:
            stage = changes.get("stage") or {}
            if isinstance(stage, dict):
                changes["stage"] = {"dollars_per_day": self.daily_budget, **stage}
        return limit_table(
            changes,
            concurrency=self.chat_concurrency,
            messages_per_minute=self.messages_per_minute,
            messages_per_day=self.messages_per_day,
        )

    @property
    def longest_answer(self) -> int:
        """The tokens that a model may write in one call; 0 for its own limit."""
        if self.answer_tokens is not None:
            return self.answer_tokens
        return 0 if self.provider == "compatible" else ANSWER_TOKENS

    @property
    def model_prices(self) -> dict[str, Any]:
        """The price of each model that may answer."""
        other = {"input": self.input_token_price, "output": self.output_token_price}
        return {name: self.prices.get(name, other) for name in chosen(self).every_name}

    @property
    def scopes(self) -> list[str]:
        return self.oidc_scopes.split()

    @property
    def claims(self) -> list[str]:
        """The claims that the functions read."""
        claims = (
            self.oidc_user_claim,
            self.oidc_name_claim,
            self.oidc_tenant_claim,
            self.oidc_roles_claim,
        )
        return [claim for claim in claims if claim is not None]

    @property
    def sign_in_origins(self) -> list[str]:
        """The origins that the page calls to sign people in, for its content policy."""
        if self.oidc_issuer is None or self.oidc_client_id is None:
            return []
        issuer = urlsplit(self.oidc_issuer)
        return list(dict.fromkeys([f"{issuer.scheme}://{issuer.netloc}", *self.oidc_origins]))

    @property
    def transcribes(self) -> bool:
        """Whether speech is turned into text."""
        if self.voice is not None:
            return self.voice
        return self.transcription_base_url is not None or self.provider in {"openai", "gemini"}

    @property
    def gemini_transcribes(self) -> bool:
        """Whether Gemini transcribes: it does not accept the formats that browsers record."""
        own_server = self.transcription_base_url is not None
        return self.transcribes and self.provider == "gemini" and not own_server

    @property
    def needs_edge(self) -> bool:
        """Whether a stack of its own in us-east-1 is needed."""
        return self.waf or self.makes_certificate or self.edge_alarms

    @property
    def makes_certificate(self) -> bool:
        return self.hosted_zone is not None and self.certificate_arn is None
