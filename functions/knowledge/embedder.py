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

    def __str__(self) -> str:
        return f"{self.model} of {self.provider}, {self.dimension} numbers"


class Embedder(Protocol):
    """Turns texts into vectors."""

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
        Batches and concurrency are decided by each kind. Raises `EmbeddingError`.
        """
        ...


class EmbeddingError(Exception):
    """Texts were not embedded. The message is for the log, and has no text of passages."""


class EmbeddingThrottledError(EmbeddingError):
    """The provider takes no more now, also after the retries. The same call may work later."""


class EmbeddingUnavailableError(EmbeddingError):
    """The provider did not answer, or failed, also after the retries. It may work later."""


class EmbeddingRefusedError(EmbeddingError):
    """The provider refuses such requests: the key, the name of the model or the dimension is wrong.

    It will not work before the settings change.
    """


@dataclass(frozen=True)
class OfModel:
    """An embedder's description: what each kind of `Embedder` has."""

    description: EmbeddingModel

    @property
    def provider(self) -> EmbeddingProvider:
        return self.description.provider

    @property
    def model(self) -> str:
        return self.description.model

    @property
    def dimension(self) -> int:
        return self.description.dimension

    def checked(self, vectors: list[list[float]], texts: Sequence[str]) -> list[list[float]]:
        """The vectors, if there is one of the right length for each text.

        Raises `EmbeddingRefusedError`.
        """
        if len(vectors) != len(texts):
            raise EmbeddingRefusedError(
                f"{self.model} of {self.provider} gave {len(vectors)} vectors for "
                f"{len(texts)} texts"
            )
        for vector in vectors:
            if len(vector) != self.dimension:
                raise EmbeddingRefusedError(
                    f"{self.model} of {self.provider} gives vectors of {len(vector)} numbers, not "
                    f"of {self.dimension}: set CHATKIT_EMBEDDING_DIMENSION"
                )
        return vectors


def cut(text: str, most: int) -> str:
    """The beginning of a text that is at most so many bytes in UTF-8.

    No text has more tokens than bytes, in the models whose tokens are pieces of bytes. Never empty:
    providers refuse an empty text.
    """
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore").strip() or "-"
