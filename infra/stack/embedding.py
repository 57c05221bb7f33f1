"""What makes the vectors of a stage: its provider, the functions' variables about it, its key."""

from typing import TYPE_CHECKING

from functions.knowledge.current import Index
from functions.knowledge.embeddings import EmbeddingModel, chosen_model
from functions.settings import Settings
from infra.stack import models

if TYPE_CHECKING:
    from infra.stack.settings import StackSettings


def variables(settings: "StackSettings", vector_bucket: str) -> dict[str, str]:
    """The variables of the functions that search and that ingest."""
    values = {
        "CHATKIT_KNOWLEDGE": "true",
        "CHATKIT_VECTOR_BUCKET": vector_bucket,
        "CHATKIT_EMBEDDING_PROVIDER": models.embedding_provider(settings),
        "CHATKIT_EMBEDDING_MODEL": settings.embedding_model,
        "CHATKIT_EMBEDDING_DIMENSION": settings.embedding_dimension,
        "CHATKIT_EMBEDDING_BASE_URL": settings.embedding_base_url,
        "CHATKIT_PASSAGE_TOKENS": settings.passage_tokens,
    }
    return {name: str(value) for name, value in values.items() if value is not None}


def of_ingest(settings: "StackSettings", shared: dict[str, str]) -> dict[str, str]:
    """Those of the `shared` variables that the ingest function reads: where the rows and the
    documents are, and how to reach the provider of its vectors.
    """
    names = [
        "CHATKIT_TABLE",
        "CHATKIT_ATTACHMENTS_BUCKET",
        "CHATKIT_EMBEDDING_API_KEY_SECRET",
        "CHATKIT_LOG_LEVEL",
    ]
    match models.embedding_provider(settings):
        case "azure":
            names.append("AZURE_OPENAI_ENDPOINT")
        case "compatible":
            names.append("OPENAI_BASE_URL")
    if provider := models.embedding_key(settings):
        names.append(models.secret_variable(provider, settings))
    return {name: shared[name] for name in names if name in shared}


def model_of(settings: "StackSettings") -> EmbeddingModel:
    """The model that a new index is made with. Raises `ValueError` as the functions do."""
    return chosen_model(_settings_of_functions(settings))


def index_of(settings: "StackSettings") -> Index:
    """The index that these settings ask for. Raises `ValueError` as the functions do."""
    return Index.of(_settings_of_functions(settings))


def _settings_of_functions(settings: "StackSettings") -> Settings:
    given = {
        **dict.fromkeys(models.SECRETS.values(), "a secret"),
        **models.variables(settings),
        **variables(settings, "known at the deploy"),
    }
    return models.settings_of({name: value for name, value in given.items() if value})
