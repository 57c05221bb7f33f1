"""Embeddings of Amazon Bedrock: Titan and Cohere, by the role of the function, without a key.

- https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v3.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v4.html
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from ..aws import clients
from ..llm.providers import foundation_model
from .batches import at_once, batches
from .embedder import (
    EmbeddingError,
    EmbeddingModel,
    EmbeddingRefusedError,
    EmbeddingThrottledError,
    EmbeddingUnavailableError,
    OfModel,
    cut,
)

READ_SECONDS: Final = 10
"""botocore makes three attempts: 36 s at most, as `functions.aws.clients` counts them."""

_THROTTLED: Final = frozenset({"ThrottlingException", "ServiceQuotaExceededException"})
_LATER: Final = frozenset(
    {
        "InternalServerException",
        "ModelErrorException",
        "ModelNotReadyException",
        "ModelTimeoutException",
        "ServiceUnavailableException",
    }
)


@dataclass(frozen=True)
class _Family:
    """What models of one family have in common."""

    dimensions: tuple[int, ...]
    """The first one is the default."""
    batch: int
    at_once: int
    text_bytes: int
    body: Callable[[list[str], int, bool], dict[str, Any]]
    """The request for texts, a dimension, and whether they are questions."""
    vectors: Callable[[Any], list[list[float]]]


def _cohere(texts: list[str], *, query: bool) -> dict[str, Any]:
    kind = "search_query" if query else "search_document"
    return {"texts": texts, "input_type": kind, "embedding_types": ["float"]}


_TITAN: Final = _Family(
    (1024, 512, 256),
    batch=1,  # its API takes no more
    at_once=8,
    text_bytes=8_000,
    body=lambda texts, dimension, _: {
        "inputText": texts[0],
        "dimensions": dimension,
        "normalize": True,
    },
    vectors=lambda answer: [answer["embedding"]],
)
_COHERE_V3: Final = _Family(
    (1024,),
    batch=96,
    at_once=4,
    text_bytes=2_048,
    body=lambda texts, _, query: {**_cohere(texts, query=query), "truncate": "END"},
    vectors=lambda answer: answer["embeddings"]["float"],
)
_COHERE_V4: Final = _Family(
    (1536, 1024, 512, 256),
    batch=96,
    at_once=4,
    text_bytes=8_000,
    body=lambda texts, dimension, query: {
        **_cohere(texts, query=query),
        "output_dimension": dimension,
        "truncate": "RIGHT",
    },
    vectors=lambda answer: answer["embeddings"]["float"],
)
_FAMILIES: Final = {
    "amazon.titan-embed-text-v2": _TITAN,
    "cohere.embed-english-v3": _COHERE_V3,
    "cohere.embed-multilingual-v3": _COHERE_V3,
    "cohere.embed-v4": _COHERE_V4,
}


def bedrock_dimensions(model: str) -> tuple[int, ...]:
    """The dimensions that a model or an inference profile has, the default first.

    Raises `ValueError` for one that is not known here.
    """
    return _family(model).dimensions


class BedrockEmbedder(OfModel):
    """One model. `profile` is the AWS profile that signs: `bedrock_profile` of the settings.

    `client` is boto3's for `bedrock-runtime`, by default one of this process.
    """

    def __init__(
        self, description: EmbeddingModel, profile: str | None, client: Any = None
    ) -> None:
        super().__init__(description)
        self._family = _family(description.model)
        self._profile = profile
        self._given = client

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> list[list[float]]:
        family = self._family

        async def ask(batch: list[str]) -> list[list[float]]:
            body = family.body(batch, self.dimension, query)
            return self.checked(family.vectors(await self._invoke(body)), batch)

        asked = list(batches((cut(text, family.text_bytes) for text in texts), family.batch))
        return [vector for found in await at_once(family.at_once, ask, asked) for vector in found]

    async def _invoke(self, body: dict[str, Any]) -> Any:
        try:
            return await clients.call(self._answer, body=json.dumps(body))
        except ClientError as error:
            code = str(error.response["Error"].get("Code"))
            raise _kind(code)(f"{self.model} of bedrock: {code}") from error
        except BotoCoreError as error:
            raise EmbeddingUnavailableError(
                f"{self.model} of bedrock: {type(error).__name__}"
            ) from error

    def _answer(self, body: str) -> Any:
        client = self._given or _client(self._profile)
        answer = client.invoke_model(
            modelId=self.model, body=body, contentType="application/json", accept="application/json"
        )
        return json.loads(answer["body"].read())


def _kind(code: str) -> type[EmbeddingError]:
    if code in _THROTTLED:
        return EmbeddingThrottledError
    return EmbeddingUnavailableError if code in _LATER else EmbeddingRefusedError


@cache
def _client(profile: str | None) -> Any:
    """The client for Bedrock itself, also where `AWS_ENDPOINT_URL` is moto's."""
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    from ..settings import get_aws_settings  # noqa: PLC0415

    own = Config(read_timeout=READ_SECONDS, ignore_configured_endpoint_urls=True)
    return boto3.Session(profile_name=profile).client(
        "bedrock-runtime",
        region_name=get_aws_settings().aws_region,
        config=clients.config("bedrock-runtime").merge(own),
    )


def _family(model: str) -> _Family:
    _, name = foundation_model(model.rpartition("/")[2])  # of an ARN the id
    name = name.partition(":")[0]
    if name not in _FAMILIES:
        known = ", ".join(_FAMILIES)
        raise ValueError(
            f"{model} is not among the embedding models of Bedrock known here: {known}"
        )
    return _FAMILIES[name]
