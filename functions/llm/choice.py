"""Chooses the models that answer, from the settings alone: see `functions.settings`.

The first of `ModelChoice.models` answers by default. When no provider is set, the offline demo
answers.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..context import RequestContext
from ..model_list import ModelApi, ModelOption, Provider, ReasoningEffort
from ..proxies import check_proxies
from ..settings import Settings
from .demo_script import DemoScript
from .keys import Key, no_key
from .providers import (
    DEFAULT_MODELS,
    Endpoint,
    api_of,
    default_provider,
    endpoint_of,
    key_of,
)

if TYPE_CHECKING:
    from agents import Model


@dataclass(frozen=True)
class ChosenModel:
    """One model, with all that is needed to ask it.

    `api_key` is called only when a client is made. In Lambda the key is a secret, which must not
    be in a snapshot.
    """

    id: str
    """What the picker sends and what prices and logs call the model."""
    label: str
    endpoint: Endpoint
    name: str
    """What the provider calls it."""
    api: ModelApi
    api_key: Key
    reasoning_effort: ReasoningEffort | None = None
    temperature: float | None = None
    roles: frozenset[str] = frozenset()
    """The roles of which a visitor needs one to pick it; none for everybody."""

    @property
    def provider(self) -> Provider | Literal["demo"]:
        return self.endpoint.provider


@dataclass(frozen=True)
class ModelChoice:
    """The models that a visitor may pick from; the first is the default, which needs no role."""

    models: tuple[ChosenModel, ...]
    further: Callable[[str], ChosenModel]
    """Makes a model that is not listed: one of the default model's provider, by its name there."""
    fallback: ChosenModel | None = None
    """Answers when another one fails before its first token."""
    stores: bool = False
    """Whether the provider may keep what it is sent."""

    @property
    def names(self) -> tuple[str, ...]:
        """The ids of the models that a visitor may pick from."""
        return tuple(model.id for model in self.models)

    @property
    def every_name(self) -> tuple[str, ...]:
        """The ids of all models that may answer."""
        further = [self.fallback.id] if self.fallback is not None else []
        return tuple(dict.fromkeys([*self.names, *further]))

    @property
    def provider(self) -> Provider | Literal["demo"]:
        """The provider of the default model."""
        return self.models[0].provider

    @property
    def label(self) -> str:
        """The name of the default model, for people."""
        return self.models[0].label

    def model(self, name: str) -> ChosenModel:
        """The model with this id; for another name a model that is not listed."""
        listed = next((model for model in self.models if model.id == name), None)
        return listed or self.further(name)

    def fallback_of(self, name: str) -> ChosenModel | None:
        """The model that answers when the one with this id fails; `None` when there is none."""
        return None if self.fallback is None or self.fallback.id == name else self.fallback

    def names_for(self, context: RequestContext) -> list[str]:
        """The ids of the models that this user may pick from."""
        return [model.id for model in self.models if context.has_role(model.roles)]

    def labels_for(self, context: RequestContext) -> dict[str, str]:
        """What the picker shows for each of these ids."""
        allowed = self.names_for(context)
        return {model.id: model.label for model in self.models if model.id in allowed}


def choose(settings: Settings) -> ModelChoice:
    """The choice for `settings`. Opens no connection and reads no secret.

    Raises `ValueError` when a provider lacks a setting, when models contradict each other or ask
    for roles that nobody can have, or when the environment asks for a proxy that cannot be used.
    """
    options = _options(settings)
    if settings.voice_provider is not None or options:
        check_proxies()
    if not options:
        demo = ChosenModel("demo", "Offline demo", Endpoint("demo"), "demo", "responses", no_key)
        return ModelChoice((demo,), lambda _: demo, stores=settings.store_responses)
    models = tuple(_chosen(option, settings) for option in options)
    provider = options[0].provider

    def further(name: str) -> ChosenModel:
        return _chosen(ModelOption(id=name, provider=provider), settings)

    fallback = _fallback(models, further, settings)
    return ModelChoice(models, further, fallback, settings.store_responses)


def _options(settings: Settings) -> list[ModelOption]:
    """The models that a visitor may pick from, the default first; none for the offline demo."""
    listed = settings.models
    _check_list(listed, settings)
    provider = default_provider(settings)
    if settings.model is not None:
        default = settings.model
    elif listed and listed[0].provider is not None:
        default = listed[0].id
    elif provider is None:
        return []
    else:
        default = DEFAULT_MODELS.get(provider, "")
    if not default:
        what = "OPENAI_BASE_URL" if provider == "compatible" else f"CHATKIT_PROVIDER={provider}"
        raise ValueError(f"{what} needs CHATKIT_MODEL: the model that it serves")
    first = next((each for each in listed if each.id == default), ModelOption(id=default))
    if first.provider is None and provider is None:
        return []
    if first.roles:
        raise ValueError(f"CHATKIT_MODELS: {first.id} is the default, so it can need no role")
    others = dict.fromkeys(each for each in listed if each.id != first.id)
    return [first, *others]


def _check_list(listed: list[ModelOption], settings: Settings) -> None:
    if any(option.roles for option in listed) and not settings.oidc_roles_claim:
        raise ValueError("CHATKIT_MODELS: models with roles need CHATKIT_OIDC_ROLES_CLAIM")
    for name in _twice(listed):
        raise ValueError(
            f"CHATKIT_MODELS: {name} is named twice, so it is not clear which of them is meant"
        )


def _twice(listed: list[ModelOption]) -> Iterable[str]:
    """The ids that stand for more than one model."""
    different = list(dict.fromkeys(listed))
    ids = [option.id for option in different]
    return (name for name in ids if ids.count(name) > 1)


def _chosen(option: ModelOption, settings: Settings) -> ChosenModel:
    own = default_provider(settings)
    provider = option.provider or own
    if provider is None:
        raise ValueError(f"CHATKIT_MODELS: {option.id} needs a provider")
    name = option.model or option.id
    return ChosenModel(
        id=option.id,
        label=option.label or option.id,
        endpoint=endpoint_of(provider, settings),
        name=name,
        api=_api(option, provider, name, settings),
        api_key=key_of(provider, settings),
        reasoning_effort=option.reasoning_effort,
        temperature=option.temperature,
        roles=frozenset(option.roles),
    )


def _api(option: ModelOption, provider: Provider, name: str, settings: Settings) -> ModelApi:
    if provider == "gemini":  # Google's endpoint has one only
        return "chat_completions"
    of_provider = settings.model_api if provider == default_provider(settings) else None
    return option.api or of_provider or api_of(provider, name, settings)


def _fallback(
    models: tuple[ChosenModel, ...], further: Callable[[str], ChosenModel], settings: Settings
) -> ChosenModel | None:
    name = settings.fallback_model
    if name is None:
        return None
    found = next((model for model in models if model.id == name), None) or further(name)
    if found.roles:
        raise ValueError(
            f"CHATKIT_FALLBACK_MODEL: {name} answers for everybody, so it can need no role"
        )
    return found


def build(choice: ModelChoice, name: str, api_key: str, demo: DemoScript) -> "Model":
    """The Agents SDK's model with this id, or of this name: see `ModelChoice.model`.

    `demo` is the offline demo's script.
    """
    chosen = choice.model(name)
    if chosen.provider == "demo":
        from .demo import DemoModel  # noqa: PLC0415 - only when the demo answers

        return DemoModel(demo)

    # Importing the Agents SDK takes a second, and the second function never needs it.
    from agents import OpenAIChatCompletionsModel, OpenAIResponsesModel  # noqa: PLC0415

    from .client import MAX_RETRIES, model_client  # noqa: PLC0415
    from .preset import PresetModel  # noqa: PLC0415
    from .readable import ReadableModel  # noqa: PLC0415
    from .unstored import UnstoredModel  # noqa: PLC0415

    # Where another model can answer, that is the retry.
    retries = MAX_RETRIES if choice.fallback_of(name) is None else 0
    client = model_client(chosen.endpoint, api_key, retries=retries)
    responses = chosen.api == "responses"
    kind = OpenAIResponsesModel if responses else OpenAIChatCompletionsModel
    model: Model = kind(model=chosen.name, openai_client=client)
    if not choice.stores and (responses or chosen.provider == "openai"):
        place = str(client.base_url)
        model = UnstoredModel(model, place, chosen.name, carries_reasoning=responses)
    if chosen.reasoning_effort is not None or chosen.temperature is not None:
        model = PresetModel(model, chosen.reasoning_effort, chosen.temperature)
    return ReadableModel(model)
