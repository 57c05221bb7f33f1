"""The length of a model's input, told in tokens, and how it is made shorter.

Tokens are estimated, because each model counts them in its own way. Images and PDFs are not
counted.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from agents import TResponseInputItem

BYTES_OF_A_TOKEN: Final = 4
"""UTF-8 bytes. Right for English; a little low for Chinese, with three bytes a character."""

SMALLEST_PART: Final = 100
"""Tokens. Less of a message than this is not worth sending."""

_Items = list[Any]


def tokens(items: Sequence[Any]) -> int:
    """The estimated length of the items in tokens."""
    return sum(_tokens(text) for item in items for text in [*_texts(item), _arguments(item)])


def last_turn(items: Sequence[Any]) -> list[TResponseInputItem]:
    """The newest message of the user and everything after it."""
    return _turns(items)[-1] if items else []


def shorten(items: Sequence[Any], limit: int) -> list[TResponseInputItem]:
    """The newest turns that have at most `limit` tokens together.

    A turn is a message of the user and everything up to the next one. The turn at which the limit
    is reached is cut: the middle of its long texts is left out, with a note for the model.
    """
    kept: _Items = []
    for turn in reversed(_turns(items)):
        size = tokens(turn)
        if size <= limit:
            kept = turn + kept
            limit -= size
            continue
        if not kept or limit >= SMALLEST_PART:
            kept = _cut(turn, limit) + kept
        break
    return kept


def with_bounded_outputs(items: Sequence[Any], limit: int) -> list[TResponseInputItem]:
    """The items with at most about `limit` tokens of text in the output of each tool: the middle of
    a longer one is left out, with a note for the model.
    """
    return [
        _cut([item], limit)[0] if item.get("type") == "function_call_output" else item
        for item in items
    ]


def bounded(text: str, limit: int) -> str:
    """The text, without its middle if it has more than `limit` tokens."""
    size = _tokens(text)
    if size <= limit:
        return text
    half = max(len(text) * limit // size // 2, 1)
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n[… {left_out:,} characters are left out here …]\n{text[-half:]}"


def _turns(items: Sequence[Any]) -> list[_Items]:
    turns: list[_Items] = []
    for item in items:
        if item.get("role") == "user" or not turns:
            turns.append([])
        turns[-1].append(item)
    return turns


def _cut(turn: _Items, limit: int) -> _Items:
    """The turn with its longest texts cut to one length, so that it has about `limit` tokens."""
    sizes = sorted(_tokens(text) for item in turn for text in _texts(item))
    left = max(limit - sum(_tokens(_arguments(item)) for item in turn), 0)
    longest = 0
    for position, size in enumerate(sizes):
        longest = left // (len(sizes) - position)
        if size > longest:
            break
        left -= size
    return [_with_texts(item, lambda text: bounded(text, longest)) for item in turn]


def _tokens(text: str) -> int:
    return len(text.encode()) // BYTES_OF_A_TOKEN


def _arguments(item: Any) -> str:
    return str(item.get("arguments") or "")


def _texts(item: Any) -> list[str]:
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    _with_texts(item, note)
    return found


def _with_texts(item: Any, change: Callable[[str], str]) -> Any:
    """A copy of the item in which each text of a message or a tool's output is changed."""
    for name in ("content", "output"):
        value = item.get(name)
        if isinstance(value, str):
            return {**item, name: change(value)}
        if isinstance(value, list):
            parts = [
                {**part, "text": change(part["text"])} if part.get("text") else part
                for part in value
            ]
            return {**item, name: parts}
    return item
