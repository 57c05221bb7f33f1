"""Documents in passages that are small enough to embed and large enough to understand."""

from ..knowledge.passages import PassageText
from .reading import Read


def split(read: Read, tokens: int) -> list[PassageText]:
    """The passages of a document, in order, each with about `tokens` tokens at most: its text and
    its path of headings together. Every word of the document is in one of them.
    """
    raise NotImplementedError
