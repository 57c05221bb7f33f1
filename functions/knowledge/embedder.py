"""What turns texts into vectors, and how it fails."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..settings import EmbeddingProvider


@dataclass(frozen=True)
class EmbeddingModel:
    """A model of a provider, and the dimension of its vectors. An index is made with one of these,
    and can be asked with the same one only.
    """

    provider: EmbeddingProvider
    model: str
    dimension: int


class Embedder(Protocol):
    """Turns texts into vectors. The methods raise the errors below."""

    @property
    def provider(self) -> EmbeddingProvider: ...

    @property
    def model(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> list[list[float]]:
        """One vector of `dimension` numbers for each text, in their order.

        A text is a passage, or with `query` a question: some models embed the two differently, and
        somebody waits for a question. A text that is too long for the model is cut at its end.
        Batches and concurrency are decided by each kind.
        """
        ...


class EmbeddingError(Exception):
    """Texts were not embedded. The message is for the log, and has no text of passages."""


class EmbeddingThrottledError(EmbeddingError):
    """The provider takes no more now, also after the retries. The same call may work later."""


class EmbeddingUnavailableError(EmbeddingError):
    """The provider did not answer, or failed, also after the retries: it may work later."""


class EmbeddingRefusedError(EmbeddingError):
    """The provider refuses such requests: the key, the name of the model or the dimension is wrong.

    It will not work before the settings change.
    """
