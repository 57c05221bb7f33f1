"""Which models answer, where they are asked, and what they may use."""

from typing import Literal

from pydantic import Field

from functions.model_list import ModelApi, Models
from functions.settings import BEDROCK_GUARDRAIL, BedrockEndpoint, McpServers
from infra.stack.settings.group import SettingsGroup

Provider = Literal["demo", "bedrock", "openai", "gemini", "azure", "compatible"]


class ModelSettings(SettingsGroup):
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
