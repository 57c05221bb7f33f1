"""Chooses the model that answers, from the settings alone.

The first of these that is set decides: `OPENAI_BASE_URL` (any compatible server),
`OPENAI_API_KEY`, `GEMINI_API_KEY` (Google's OpenAI-compatible endpoint). When none is set, the
offline demo answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from ..context import RequestContext
from ..proxies import check_proxies
from ..settings import MODEL, Settings
from .demo_script import DemoScript
from .keys import Key, gemini_key, openai_key

if TYPE_CHECKING:
    from agents import Model

GEMINI_URL = "https://generativelanguage.googleapis.com/v1beta/openai/"
"""Google's endpoint: https://ai.google.dev/gemini-api/docs/openai."""

OPENAI_MODEL = "gpt-5-mini"
GEMINI_MODEL = "gemini-2.5-flash"

Api = Literal["responses", "chat_completions"]


@dataclass(frozen=True)
class ModelChoice:
    """The provider that answers, and the models that a visitor may pick from.

    `names[0]` is the default. `api_key` is called only when a client is made. In Lambda the key is
    a secret, which must not be in a snapshot.
    """

    provider: Literal["openai", "gemini", "compatible", "demo"]
    names: tuple[str, ...]
    api: Api
    base_url: str | None
    api_key: Key
    stores: bool = False
    """Whether the provider may keep what it is sent."""
    roles: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The models that need a role, and the roles of which one is enough. Never the default."""

    @property
    def label(self) -> str:
        return "Offline demo" if self.provider == "demo" else self.names[0]

    def names_for(self, context: RequestContext) -> list[str]:
        """The models that this user may pick from."""
        return [name for name in self.names if context.has_role(self.roles.get(name, ()))]


def choose(settings: Settings) -> ModelChoice:
    """The choice for `settings`. Opens no connection and reads no secret.

    Raises `ValueError` when `OPENAI_BASE_URL` is set without a model, when models ask for roles
    that nobody can have, or when the environment asks for a proxy that cannot be used.
    """
    choice = replace(_choose(settings), roles=_roles(settings))
    if choice.names[0] in choice.roles:
        raise ValueError(
            f"CHATKIT_MODELS: {choice.names[0]} is the default, so it can need no role"
        )
    if choice.provider != "demo" or settings.voice_provider is not None:
        check_proxies()
    return replace(choice, stores=settings.store_responses)


def _choose(settings: Settings) -> ModelChoice:
    if settings.openai_base_url:
        if settings.model is None:
            raise ValueError("OPENAI_BASE_URL needs CHATKIT_MODEL: the model that it serves")
        return ModelChoice(
            "compatible",
            _names(settings, settings.model),
            settings.model_api or "chat_completions",
            settings.openai_base_url,
            openai_key(settings),
        )
    if settings.has_openai_key:
        return ModelChoice(
            "openai",
            _names(settings, OPENAI_MODEL),
            settings.model_api or "responses",
            None,
            openai_key(settings),
        )
    if settings.has_gemini_key:
        return ModelChoice(
            "gemini",
            _names(settings, GEMINI_MODEL),
            "chat_completions",
            GEMINI_URL,
            gemini_key(settings),
        )
    return ModelChoice("demo", ("demo",), "responses", None, openai_key(settings))


def _names(settings: Settings, default: str) -> tuple[str, ...]:
    first = settings.model or default
    others = (name for name, _ in map(split_roles, settings.models))
    return (first, *(name for name in dict.fromkeys(others) if name != first))


def _roles(settings: Settings) -> dict[str, frozenset[str]]:
    entries = [split_roles(model) for model in settings.models]
    found = {name: roles for name, roles in entries if roles}
    for name in found:
        if len([each for each, _ in entries if each == name]) > 1:
            raise ValueError(f"CHATKIT_MODELS: {name} is named twice, so its roles are not clear")
    if found and not settings.oidc_roles_claim:
        raise ValueError("CHATKIT_MODELS: models with roles need CHATKIT_OIDC_ROLES_CLAIM")
    return found


def split_roles(model: str) -> tuple[str, frozenset[str]]:
    """The name and the roles of an entry of `CHATKIT_MODELS`, such as `gpt-5 (staff)`."""
    entry = MODEL.fullmatch(model)
    if entry is None:
        raise ValueError(f"{model!r} is not a model")
    return entry["name"], frozenset((entry["roles"] or "").split())


def build(choice: ModelChoice, name: str, api_key: str, demo: DemoScript) -> "Model":
    """The Agents SDK's model for `name`, which must be one of `choice.names`.

    `demo` is the offline demo's script.
    """
    if choice.provider == "demo":
        from .demo import DemoModel  # noqa: PLC0415 - only when the demo answers

        return DemoModel(demo)

    # Importing the Agents SDK takes a second, and the second function never needs it.
    from agents import OpenAIChatCompletionsModel, OpenAIResponsesModel  # noqa: PLC0415

    from .client import openai_client  # noqa: PLC0415
    from .readable import ReadableModel  # noqa: PLC0415
    from .unstored import UnstoredModel  # noqa: PLC0415

    client = openai_client(choice.base_url, api_key)
    responses = choice.api == "responses"
    kind = OpenAIResponsesModel if responses else OpenAIChatCompletionsModel
    model: Model = kind(model=name, openai_client=client)
    if not choice.stores and (responses or choice.provider == "openai"):
        model = UnstoredModel(model, choice.base_url, name, carries_reasoning=responses)
    return ReadableModel(model)
