"""Which model embeds the passages, by the settings or as an index was made."""

from typing import Final

from ..llm.choice import choose
from ..llm.keys import embedding_key
from ..llm.providers import Endpoint, endpoint_of, key_of
from ..proxies import check_proxies
from ..settings import EmbeddingProvider, Settings
from .bedrock_embeddings import BedrockEmbedder, bedrock_dimensions
from .embedder import (
    Embedder,
    EmbeddingError,
    EmbeddingModel,
    EmbeddingRefusedError,
    EmbeddingThrottledError,
    EmbeddingUnavailableError,
)
from .hashing import HASHING_DIMENSION, HASHING_MODEL, HashingEmbedder
from .openai_embeddings import NATIVE_DIMENSIONS, OpenAIEmbedder

__all__ = [
    "Embedder",
    "EmbeddingError",
    "EmbeddingModel",
    "EmbeddingRefusedError",
    "EmbeddingThrottledError",
    "EmbeddingUnavailableError",
    "chosen_model",
    "embedder_of",
]

DEFAULT_MODELS: Final[dict[EmbeddingProvider, str]] = {
    "openai": "text-embedding-3-small",
    "gemini": "gemini-embedding-001",
    "bedrock": "amazon.titan-embed-text-v2:0",
    "hashing": HASHING_MODEL,
}

DEFAULT_DIMENSIONS: Final = {**NATIVE_DIMENSIONS, "gemini-embedding-001": 1536}
"""Half of Gemini's own, which Google recommends too: a vector costs by its numbers."""


def chosen_model(settings: Settings) -> EmbeddingModel:
    """The model that the settings choose, for a new index.

    `embedding_provider` decides; when it is unset, `embedding_base_url` (a compatible server), then
    the provider of the chat's default model. In the offline demo the hashing embedder.

    Raises `ValueError`, whose message says which setting is missing or wrong.
    """
    provider = _provider(settings)
    if settings.embedding_base_url and provider != "compatible":
        raise ValueError(
            "CHATKIT_EMBEDDING_BASE_URL is for CHATKIT_EMBEDDING_PROVIDER=compatible, not for "
            f"{provider}"
        )
    model = settings.embedding_model or DEFAULT_MODELS.get(provider)
    if model is None:
        raise ValueError(
            f"knowledge with the provider {provider} needs CHATKIT_EMBEDDING_MODEL and "
            "CHATKIT_EMBEDDING_DIMENSION, or another CHATKIT_EMBEDDING_PROVIDER"
        )
    return EmbeddingModel(provider, model, _dimension(provider, model, settings))


def embedder_of(description: EmbeddingModel, settings: Settings) -> Embedder:
    """The embedder of a model: of `chosen_model`, or the one that an index was made with. The
    settings have the address and the key.

    Raises `ValueError` when the settings of its provider are missing, or when this version does not
    know the model.
    """
    match description.provider:
        case "hashing":
            if description.model != HASHING_MODEL:
                raise ValueError(f"this version has {HASHING_MODEL}, not {description.model}")
            return HashingEmbedder(description)
        case "bedrock":
            return BedrockEmbedder(description, settings.bedrock_profile)
        case "compatible" if settings.embedding_base_url:
            check_proxies()
            endpoint = Endpoint("compatible", settings.embedding_base_url)
            return OpenAIEmbedder(description, endpoint, embedding_key(settings))
        case "openai" | "gemini" | "azure" | "compatible" as provider:
            check_proxies()
            endpoint = endpoint_of(provider, settings)
            return OpenAIEmbedder(description, endpoint, key_of(provider, settings))


def _provider(settings: Settings) -> EmbeddingProvider:
    if settings.embedding_provider is not None:
        return settings.embedding_provider
    if settings.embedding_base_url is not None:
        return "compatible"
    of_chat = choose(settings).provider
    return "hashing" if of_chat == "demo" else of_chat


def _dimension(provider: EmbeddingProvider, model: str, settings: Settings) -> int:
    asked = settings.embedding_dimension
    match provider:
        case "hashing":
            if model != HASHING_MODEL:
                raise ValueError(f"CHATKIT_EMBEDDING_MODEL: hashing has {HASHING_MODEL} only")
            return asked or HASHING_DIMENSION
        case "bedrock":
            known = bedrock_dimensions(model)
            if asked is not None and asked not in known:
                raise ValueError(f"CHATKIT_EMBEDDING_DIMENSION: {model} has {_any_of(known)}")
            return asked or known[0]
    dimension = asked or DEFAULT_DIMENSIONS.get(model.rpartition("/")[2])
    if dimension is None:
        raise ValueError(f"{model} needs CHATKIT_EMBEDDING_DIMENSION: how long its vectors are")
    return dimension


def _any_of(numbers: tuple[int, ...]) -> str:
    return " or ".join(map(str, numbers))
