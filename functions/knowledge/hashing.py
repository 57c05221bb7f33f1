"""Vectors without a model: an embedder for the offline demo and for tests.

It knows no meaning. It counts words and their parts (three or four letters), each at a place and
with a sign that a hash decides. So texts that share words, or other forms of them, are near each
other, in any language: https://scikit-learn.org/stable/modules/feature_extraction.html#feature-hashing
"""

import asyncio
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from .embedder import OfModel

HASHING_MODEL: Final = "hashing-1"
"""The number rises when the same text gets another vector: an index then has another name."""
HASHING_DIMENSION: Final = 512

_WORD: Final = re.compile(r"\w+")
_WITHOUT_SPACES: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""Japanese and Chinese, which are written without spaces between words."""
_PARTS: Final = 0.7
"""What all parts of a word count together, beside the word itself."""


class HashingEmbedder(OfModel):
    """The same text gets the same vector in every process. Vectors have the length 1."""

    async def embed(
        self,
        texts: Sequence[str],
        *,
        query: bool = False,  # noqa: ARG002 - of the protocol; both are embedded alike
    ) -> list[list[float]]:
        return await asyncio.to_thread(lambda: [self._vector(text) for text in texts])

    def _vector(self, text: str) -> list[float]:
        vector = [0.0] * self.dimension
        words = Counter(_WORD.findall(_folded(text)))
        for word, times in words.items():
            weight = (1 + math.log(times)) * _weight(word)
            for number, share in _features(word):
                sign = 1 if number & 1 else -1
                vector[(number >> 1) % self.dimension] += sign * share * weight
        length = math.sqrt(sum(number * number for number in vector))
        if length == 0:  # a text without a word, which needs a direction too
            return [1.0, *vector[1:]]
        return [number / length for number in vector]


def _folded(text: str) -> str:
    """Without case and diacritics."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(mark for mark in apart if not unicodedata.combining(mark))


def _weight(word: str) -> float:
    """Short words are in most texts, so they count less. Numbers and Chinese words do not."""
    if len(word) > 3 or any(map(str.isdigit, word)) or _WITHOUT_SPACES.search(word):  # noqa: PLR2004
        return 1.0
    return 0.3


@lru_cache(50_000)
def _features(word: str) -> tuple[tuple[int, float], ...]:
    """The hash of each feature of a word, and how much it counts."""
    sizes, whole = ((1, 2), word) if _WITHOUT_SPACES.search(word) else ((3, 4), f"<{word}>")
    parts = [whole[at : at + size] for size in sizes for at in range(len(whole) - size + 1)]
    share = _PARTS / math.sqrt(len(parts)) if parts else 0.0
    features = [(f"w{word}", 1.0), *((f"p{part}", share) for part in parts)]
    return tuple((_hash(feature), count) for feature, count in features)


def _hash(feature: str) -> int:
    data = feature.encode("utf-8", "replace")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")
