"""Text as it is indexed for words, and a question as a query of FTS5.

Letters are compared without case and without the accents of Latin, Greek and Cyrillic. Scripts that
put no spaces between words are indexed in single characters, and asked for in pairs.
"""

import re
import unicodedata
from itertools import groupby, pairwise
from typing import Final

MAX_QUESTION: Final = 1_000
"""Characters of a question that are looked at."""
MAX_TERMS: Final = 64

_ACCENTS: Final = re.compile("[\u0300-\u036f]")
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Myanmar, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\uac00-\ud7af"  # Hangul: its spaces are not those of words
)
_CHARACTER: Final = re.compile(f"([{_UNSPACED}])")
_RUN: Final = re.compile(f"[{_UNSPACED}]+|[^\\s{_UNSPACED}]+")


def indexed(text: str) -> str:
    """The text as FTS5 gets it. The same text always gives the same, because FTS5 forgets a passage
    only by the text that it was given.
    """
    return _CHARACTER.sub(r" \1 ", _folded(text))


def terms_of(question: str) -> list[str]:
    """What a question asks for, each as a query of FTS5; none when it has no words.

    Every term is a string there, so nothing in a question is syntax:
    https://www.sqlite.org/fts5.html#full_text_query_syntax
    """
    terms: dict[str, None] = {}
    for run in _RUN.findall(_folded(question[:MAX_QUESTION])):
        for term in _terms(run):
            terms.setdefault(f'"{term}"')
    return list(terms)[:MAX_TERMS]


def _terms(run: str) -> list[str]:
    """The terms of a run without spaces. `ab-1234` is looked for as it stands, and in its parts."""
    if _CHARACTER.match(run):
        return [" ".join(pair) for pair in pairwise(run)] or [run]
    words = ["".join(letters) for wanted, letters in groupby(run, _in_word) if wanted]
    return words if len(words) < 2 else [" ".join(words), *words]  # noqa: PLR2004 - itself


def _in_word(character: str) -> bool:
    """Whether FTS5's tokenizer, as `words` sets it up, takes this for a part of a word."""
    category = unicodedata.category(character)
    return category[0] in "LNM" or category == "Co"


def _folded(text: str) -> str:
    text = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", text))
