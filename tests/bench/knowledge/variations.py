"""Many passages for a measurement of size: variations of those of the labelled set."""

import random
import re
from collections.abc import Iterator

from functions.knowledge.passages import Document, PassageText, document_id, with_ids

PASSAGES = 250
"""Of one document."""

_NUMBER = re.compile(r"\d+")
_SENTENCE = re.compile(r"(?<=[.!?]) ")


def variations(texts: list[PassageText], count: int) -> Iterator[Document]:
    """Documents with `count` passages together. Each passage has the sentences of one of `texts` in
    another order, other numbers, and an order number and a name that no other has.
    """
    chance = random.Random(20)
    for start in range(0, count, PASSAGES):
        identity = document_id("@everybody", f"large/{start}.md")
        pieces = [
            _varied(chance.choice(texts), chance) for _ in range(min(PASSAGES, count - start))
        ]
        yield Document(
            identity, f"large/{start}.md", f"Document {start}", passages=with_ids(identity, pieces)
        )


def _varied(piece: PassageText, chance: random.Random) -> PassageText:
    sentences = _SENTENCE.split(piece.text)
    chance.shuffle(sentences)
    text = _NUMBER.sub(lambda found: _digits(len(found[0]), chance), " ".join(sentences))
    name = "".join(chance.choices("abcdefghijklmnoprstuvw", k=7)).capitalize()
    number = f"{_digits(4, chance)}-{_digits(3, chance)}-{_digits(2, chance)}"
    return PassageText(f"{text} {name} {number}", piece.headings, piece.page, piece.anchor)


def _digits(length: int, chance: random.Random) -> str:
    return "".join(chance.choices("0123456789", k=length))
