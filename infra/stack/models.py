"""The models of a stage: what the functions are told about them, and which keys they need.

The functions' own code chooses (`functions.llm.choice`), so that the rights, the secrets and the
prices of a stage are those of the models that answer there.
"""

from typing import TYPE_CHECKING, Any, Final

from functions.llm.choice import ModelChoice, choose
from functions.model_list import as_json
from functions.settings import GivenSettings, Settings

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
    """The providers whose keys the stage needs, that of `provider` first."""
    choice = chosen(settings)
    used = [settings.provider, *(choice.model(name).provider for name in choice.every_name)]
    return [name for name in dict.fromkeys(used) if name in SECRETS]


def secret_variable(provider: str, settings: "StackSettings") -> str:
    """The variable that names the secret of `provider`.

    A compatible server alone has the same variable as OpenAI, with which it also transcribes.
    """
    if provider == "compatible" and "openai" not in key_providers(settings):
        return SECRETS["openai"]
    return SECRETS[provider]
