"""Which model embeds the passages, by the settings or as an index was made."""

from ..settings import EmbeddingProvider, Settings
from .embedder import (
    Embedder,
    EmbeddingError,
    EmbeddingModel,
    EmbeddingRefusedError,
    EmbeddingThrottledError,
    EmbeddingUnavailableError,
)

__all__ = [
    "Embedder",
    "EmbeddingError",
    "EmbeddingModel",
    "EmbeddingProvider",
    "EmbeddingRefusedError",
    "EmbeddingThrottledError",
    "EmbeddingUnavailableError",
    "chosen_model",
    "embedder_of",
]


def chosen_model(settings: Settings) -> EmbeddingModel:
    """The model that the settings choose, for a new index.

    `embedding_provider` decides; when it is unset, `embedding_base_url` (a compatible server), then
    the provider of the chat's default model. In the offline demo the hashing embedder.

    Raises `ValueError`, whose message says which setting is missing or wrong.
    """
    raise NotImplementedError


def embedder_of(description: EmbeddingModel, settings: Settings) -> Embedder:
    """The embedder of a model: of `chosen_model`, or the one that an index was made with. The
    settings have the address and the key.

    Raises `ValueError` when the settings of its provider are missing.
    """
    raise NotImplementedError
