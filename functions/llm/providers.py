"""What is particular to each provider: its address, its key, its models and what they speak."""

import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

from ..model_list import ModelApi, Provider
from ..settings import BedrockEndpoint, Settings
from .keys import Key, azure_key, compatible_key, gemini_key, no_key, openai_key

OPENAI_URL: Final = "https://api.openai.com/v1"
GEMINI_URL: Final = "https://generativelanguage.googleapis.com/v1beta/openai/"
"""Google's endpoint: https://ai.google.dev/gemini-api/docs/openai."""

DEFAULT_MODELS: Final[dict[str, str]] = {
    "openai": "gpt-5-mini",
    "gemini": "gemini-2.5-flash",
    "bedrock": "openai.gpt-oss-120b-1:0",
}
"""The other providers' models have names that only their owners know."""

_PROFILE = re.compile(r"(?P<geography>[a-z]{2}(?:-gov)?|apac|global)\.(?P<model>.+)")


@dataclass(frozen=True)
class Endpoint:
    """Where requests go. The last four are Amazon Bedrock's."""

    provider: Provider | Literal["demo"]
    base_url: str | None = None
    """`None` for the address that Bedrock has in `region`."""
    region: str = ""
    kind: BedrockEndpoint = "runtime"
    project: str | None = None
    profile: str | None = None


def default_provider(settings: Settings) -> Provider | None:
    """The provider that `settings` choose; `None` for the offline demo."""
    if settings.provider is not None:
        return settings.provider
    if settings.openai_base_url:
        return "compatible"
    if settings.has_openai_key:
        return "openai"
    if settings.has_gemini_key:
        return "gemini"
    return "azure" if settings.has_azure_key else None


def endpoint_of(provider: Provider, settings: Settings) -> Endpoint:
    """Where requests to `provider` go. Raises `ValueError` when its settings are missing."""
    match provider:
        case "openai":
            _need(settings.has_openai_key, provider, "OPENAI_API_KEY")
            # Without an address the SDK would take that of a compatible server, OPENAI_BASE_URL.
            return Endpoint(provider, OPENAI_URL)
        case "gemini":
            _need(settings.has_gemini_key, provider, "GEMINI_API_KEY")
            return Endpoint(provider, GEMINI_URL)
        case "bedrock":
            if settings.bedrock_project and settings.bedrock_endpoint != "mantle":
                raise ValueError("CHATKIT_BEDROCK_PROJECT needs CHATKIT_BEDROCK_ENDPOINT=mantle")
            return Endpoint(
                provider,
                settings.bedrock_base_url,
                settings.aws_region,
                settings.bedrock_endpoint,
                settings.bedrock_project,
                settings.bedrock_profile,
            )
        case "azure":
            _need(settings.has_azure_key, provider, "AZURE_OPENAI_API_KEY")
            _need(bool(settings.azure_openai_endpoint), provider, "AZURE_OPENAI_ENDPOINT")
            return Endpoint(provider, azure_url(settings.azure_openai_endpoint or ""))
        case "compatible":
            _need(bool(settings.openai_base_url), provider, "OPENAI_BASE_URL")
            return Endpoint(provider, settings.openai_base_url)


def key_of(provider: Provider, settings: Settings) -> Key:
    match provider:
        case "openai":
            return openai_key(settings)
        case "gemini":
            return gemini_key(settings)
        case "bedrock":
            return no_key  # the AWS credentials of this process sign
        case "azure":
            return azure_key(settings)
        case "compatible":
            own = settings.compatible_api_key or settings.compatible_api_key_secret
            return compatible_key(settings) if own or settings.uses_openai else openai_key(settings)


def api_of(provider: Provider, model: str, settings: Settings) -> ModelApi:
    """The API that `model` speaks when nothing else is set."""
    match provider:
        case "openai" | "azure":
            return "responses"
        case "bedrock":
            return _bedrock_api(model, settings.bedrock_endpoint)
        case "gemini" | "compatible":
            return "chat_completions"


def foundation_model(model: str) -> tuple[str | None, str]:
    """The geography of an inference profile of Bedrock's, such as `eu` or `global`, and its model.

    No geography for a model itself.
    https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
    """
    profile = _PROFILE.fullmatch(model)
    return (profile["geography"], profile["model"]) if profile else (None, model)


def azure_url(endpoint: str) -> str:
    """The address of the API v1 of an Azure OpenAI resource, which needs no version in requests.

    https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
    """
    address = urlsplit(endpoint)
    path = address.path.rstrip("/").removesuffix("/openai/v1").removesuffix("/openai")
    return address._replace(path=f"{path}/openai/v1/", query="", fragment="").geturl()


def _bedrock_api(model: str, endpoint: BedrockEndpoint) -> ModelApi:
    # On `runtime`, OpenAI's open models speak chat completions only:
    # https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html
    _, name = foundation_model(model)
    of_openai = name.startswith("openai.")
    if of_openai and (endpoint == "mantle" or "gpt-oss" not in name):
        return "responses"
    return "chat_completions"


def _need(given: bool, provider: Provider, name: str) -> None:
    if not given:
        raise ValueError(f"{name} is needed for the provider {provider}")
