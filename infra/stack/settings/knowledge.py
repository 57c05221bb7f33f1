"""What the assistant knows, and who makes its vectors."""

from pydantic import Field

from functions.settings import EmbeddingProvider
from infra.stack.settings.group import FUNCTIONS, SettingsGroup


class KnowledgeSettings(SettingsGroup):
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
        FUNCTIONS["passage_tokens"].default,
        ge=50,
        le=2_000,
        description="Tokens of the passages that documents are split into, at most.",
    )
