"""Many passages for a measurement of size: variations of those of the labelled set."""

import random
import re
from collections.abc import Iterator
from typing import Final

from functions.knowledge.passages import Document, PassageText, document_id, with_ids

PASSAGES: Final = 2_500
"""Of one document."""
CHARACTERS: Final = 4
"""Of a token, about."""

_NUMBER: Final = re.compile(r"\d+")
_SENTENCE: Final = re.compile(r"(?<=[.!?]) ")


def variations(texts: list[PassageText], count: int, tokens: int) -> Iterator[Document]:
    """Documents with `count` passages together, each of about `tokens` tokens.

    A passage has sentences of some of `texts` in another order, other numbers, and an order number
    and a name that no other has.
    """
    chance = random.Random(20)
    for start in range(0, count, PASSAGES):
        identity = document_id(None, f"large/{start}.md")
        pieces = [_varied(texts, tokens, chance) for _ in range(min(PASSAGES, count - start))]
        yield Document(
            identity, f"large/{start}.md", f"Document {start}", passages=with_ids(identity, pieces)
        )


def _varied(texts: list[PassageText], tokens: int, chance: random.Random) -> PassageText:
    sentences: list[str] = []
    while sum(map(len, sentences)) < tokens * CHARACTERS:
        piece = chance.choice(texts)
        sentences += _SENTENCE.split(piece.text)
    chance.shuffle(sentences)
    text = _NUMBER.sub(lambda found: _digits(len(found[0]), chance), " ".join(sentences))
    name = "".join(chance.choices("abcdefghijklmnoprstuvw", k=7)).capitalize()
    number = f"{_digits(4, chance)}-{_digits(3, chance)}-{_digits(2, chance)}"
    return PassageText(f"{text} {name} {number}", piece.headings)


def _digits(length: int, chance: random.Random) -> str:
    return "".join(chance.choices("0123456789", k=length))
