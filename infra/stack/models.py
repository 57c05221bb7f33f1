"""The models of a stage: what the functions are told about them, and which keys they need.

The functions' own code chooses (`functions.llm.choice`), so that the rights, the secrets and the
prices of a stage are those of the models that answer there.
"""

from typing import TYPE_CHECKING, Any, Final

from functions.llm.choice import ModelChoice, choose
from functions.model_list import as_json
from functions.settings import EmbeddingProvider, GivenSettings, Settings

if TYPE_CHECKING:
    from infra.stack.settings import StackSettings

SECRETS: Final = {
    "openai": "CHATKIT_OPENAI_API_KEY_SECRET",
    "gemini": "CHATKIT_GEMINI_API_KEY_SECRET",
    "azure": "CHATKIT_AZURE_OPENAI_API_KEY_SECRET",
    "compatible": "CHATKIT_COMPATIBLE_API_KEY_SECRET",
}
"""The variables that name the providers' secrets. Bedrock needs none: the function's role signs."""


def variables(settings: "StackSettings") -> dict[str, str | None]:
    """The functions' variables about the models, without those that name secrets."""
    mantle = settings.bedrock_endpoint == "mantle"
    return {
        "CHATKIT_PROVIDER": None if settings.provider == "demo" else settings.provider,
        "CHATKIT_MODEL": settings.model,
        "CHATKIT_MODELS": as_json(settings.models),
        "CHATKIT_MODEL_API": settings.model_api,
        "CHATKIT_FALLBACK_MODEL": settings.fallback_model,
        "CHATKIT_STORE_RESPONSES": str(settings.store_responses).lower(),
        "OPENAI_BASE_URL": settings.model_base_url,
        "AZURE_OPENAI_ENDPOINT": settings.azure_endpoint,
        "CHATKIT_BEDROCK_ENDPOINT": "mantle" if mantle else None,
        "CHATKIT_BEDROCK_PROJECT": settings.bedrock_project,
        "AWS_BEDROCK_BASE_URL": settings.bedrock_base_url,
    }


def settings_of(given: dict[str, str]) -> Settings:
    """The functions' settings from these variables. Raises `ValueError`."""
    prefix = "CHATKIT_"
    values: dict[str, Any] = {
        name.removeprefix(prefix).lower() if name.startswith(prefix) else name: value
        for name, value in given.items()
    }
    return GivenSettings(**values)


def chosen(settings: "StackSettings") -> ModelChoice:
    """The models of a stage. Raises `ValueError` when the settings make no sense."""
    given = {
        **dict.fromkeys(SECRETS.values(), "a secret"),
        **variables(settings),
        "CHATKIT_OIDC_ROLES_CLAIM": settings.oidc_roles_claim,
        "CHATKIT_TRANSCRIPTION": "off",
    }
    if settings.provider == "demo":
        given = {}
    return choose(settings_of({name: value for name, value in given.items() if value}))


def key_providers(settings: "StackSettings") -> list[str]:
    """The providers whose keys the stage needs, that of `provider` first, that of the vectors
    last.
    """
    choice = chosen(settings)
    used: list[str] = [
        settings.provider,
        *(choice.model(name).provider for name in choice.every_name),
    ]
    if (embeds := embedding_key(settings)) is not None:
        used.append(embeds)
    return [name for name in dict.fromkeys(used) if name in SECRETS]


def embedding_provider(settings: "StackSettings") -> EmbeddingProvider:
    """Who makes the vectors; decided as the functions do it where no setting says so."""
    if settings.embedding_provider is not None:
        return settings.embedding_provider
    if settings.embedding_base_url is not None:
        return "compatible"
    return "hashing" if settings.provider == "demo" else settings.provider


def embedding_key(settings: "StackSettings") -> str | None:
    """The provider whose key the vectors need, as the chat's models do; None without one.

    A server with an address of its own (`embeddingBaseUrl`) gets no key but its own.
    """
    provider = embedding_provider(settings)
    own = provider == "compatible" and settings.embedding_base_url is not None
    return provider if settings.knowledge and provider in SECRETS and not own else None


def secret_variable(provider: str, settings: "StackSettings") -> str:
    """The variable that names the secret of `provider`.

    A compatible server alone has the same variable as OpenAI, with which it also transcribes.
    """
    if provider == "compatible" and "openai" not in key_providers(settings):
        return SECRETS["openai"]
    return SECRETS[provider]
