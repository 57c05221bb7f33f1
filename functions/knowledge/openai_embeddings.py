"""Embeddings of OpenAI, Gemini, Azure OpenAI and any server with OpenAI's `/embeddings`."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from ..aws.secret_values import SecretUnavailableError
from ..llm.keys import Key
from ..llm.providers import Endpoint
from .batches import at_once, batches
from .embedder import (
    EmbeddingModel,
    EmbeddingRefusedError,
    EmbeddingThrottledError,
    EmbeddingUnavailableError,
    OfModel,
    cut,
)

if TYPE_CHECKING:
    from openai import AsyncOpenAI

NATIVE_DIMENSIONS: Final = {
    "text-embedding-3-small": 1536,
    "text-embedding-3-large": 3072,
    "gemini-embedding-001": 3072,
}
"""What a model gives when it is asked for no dimension.
https://platform.openai.com/docs/guides/embeddings, https://ai.google.dev/gemini-api/docs/embeddings"""

TEXT_BYTES: Final = 8_000
"""OpenAI refuses a text of over 8,192 tokens. Gemini cuts it at 2,048."""
BATCH: Final = {"openai": 100, "azure": 100, "gemini": 100, "compatible": 32}
"""Texts in a request. OpenAI takes 2,048 with 300,000 tokens together (100 of the longest passages
are some 200,000), Gemini 100, and Text Embeddings Inference 32 unless it is told otherwise:
https://huggingface.co/docs/text-embeddings-inference/cli_arguments"""
AT_ONCE: Final = 4
"""Requests at a time, for one call of `embed`."""

CONNECT_SECONDS: Final = 5.0
PASSAGES_SECONDS: Final = 30.0
"""The wait for an answer, which a small server of one's own computes for some seconds."""
PASSAGES_RETRIES: Final = 2
"""The SDK waits 0.5 s and 1 s before them, or as long as the provider says (a minute at most)."""
QUERY_SECONDS: Final = 8.0
QUERY_RETRIES: Final = 1
QUERY_TOTAL_SECONDS: Final = 15.0
"""Somebody waits, while a retry may wait as long as the provider says."""


class OpenAIEmbedder(OfModel):
    """One model at one endpoint. A request that fails is sent again by the SDK."""

    def __init__(self, description: EmbeddingModel, endpoint: Endpoint, key: Key) -> None:
        super().__init__(description)
        self._endpoint = endpoint
        self._key = key

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> list[list[float]]:
        try:
            async with asyncio.timeout(QUERY_TOTAL_SECONDS if query else None):
                return await self._embed(await self._client(query=query), texts)
        except TimeoutError as error:
            raise EmbeddingUnavailableError(f"{self.model} of {self.provider}: slow") from error

    async def _embed(self, client: "AsyncOpenAI", texts: Sequence[str]) -> list[list[float]]:
        async def ask(batch: list[str]) -> list[list[float]]:
            return self.checked(await self._request(client, batch), batch)

        asked = list(batches((cut(text, TEXT_BYTES) for text in texts), BATCH[self.provider]))
        return [vector for found in await at_once(AT_ONCE, ask, asked) for vector in found]

    async def _client(self, *, query: bool) -> "AsyncOpenAI":
        # Takes long to import, and not every embedder needs it.
        from httpx2 import Timeout  # noqa: PLC0415

        from ..llm.client import model_client  # noqa: PLC0415

        try:
            key = await self._key()
        except SecretUnavailableError as error:
            raise EmbeddingUnavailableError(str(error)) from error
        seconds = QUERY_SECONDS if query else PASSAGES_SECONDS
        retries = QUERY_RETRIES if query else PASSAGES_RETRIES
        timeout = Timeout(seconds, connect=CONNECT_SECONDS, pool=seconds)
        return model_client(self._endpoint, key).with_options(timeout=timeout, max_retries=retries)

    async def _request(self, client: "AsyncOpenAI", texts: list[str]) -> list[list[float]]:
        import openai  # noqa: PLC0415 - as above

        asked: dict[str, Any] = {"dimensions": self.dimension} if self._asks_for_dimension else {}
        try:
            answer = await client.embeddings.create(
                model=self.model, input=texts, encoding_format="float", **asked
            )
        except openai.RateLimitError as error:
            raise EmbeddingThrottledError(self._said(error)) from error
        except (openai.APIConnectionError, openai.InternalServerError) as error:
            raise EmbeddingUnavailableError(self._said(error)) from error
        except openai.APIError as error:
            raise EmbeddingRefusedError(self._said(error)) from error
        try:
            # Gemini's endpoint leaves the index out. It answers in the order of the texts.
            found = sorted(answer.data, key=lambda each: each.index or 0)
            return [list(each.embedding) for each in found]
        except (AttributeError, TypeError) as error:  # the SDK does not check what it gets
            raise EmbeddingRefusedError(
                f"{self.model} of {self.provider}: what the address answers with is no embeddings"
            ) from error

    @property
    def _asks_for_dimension(self) -> bool:
        """Many compatible servers refuse the parameter, and so do models with one dimension."""
        native = NATIVE_DIMENSIONS.get(self.model.rpartition("/")[2])
        return self.dimension != native and (native is not None or self.provider != "compatible")

    def _said(self, error: Any) -> str:
        # A provider's own message quotes the request: see `functions.llm.refusal_log`.
        status = getattr(error, "status_code", None) or type(error).__name__
        code = f" ({error.code})" if getattr(error, "code", None) else ""
        return f"{self.model} of {self.provider}: {status}{code}"
