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

SHORT_OUTPUT: Final = 50
"""Tokens of a tool's output that is cut to make room."""

_Items = list[Any]


def tokens(items: Sequence[Any]) -> int:
    """The estimated length of the items in tokens."""
    return sum(_tokens(text) for item in items for text in [*_texts(item), _whole(item)])


def last_turn(items: Sequence[Any]) -> list[TResponseInputItem]:
    """The newest message of the user and everything after it."""
    return turns(items)[-1] if items else []


def shorten(items: Sequence[Any], limit: int) -> list[TResponseInputItem]:
    """The newest turns that have at most `limit` tokens together.

    A turn is a message of the user and everything up to the next one. When not all turns fit, the
    outputs of tools in older turns are cut first, the oldest before the others: together they keep
    the tokens that everything else leaves, and at least a quarter of the limit. Then the turn at
    which the limit is reached is cut: the middle of its long texts is left out, with a note for the
    model.
    """
    kept: _Items = []
    if tokens(items) > limit:
        newest = last_turn(items)
        older = items[: -len(newest)]
        returned = tokens([item for item in older if _is_returned(item)])
        left = max(limit - tokens(items) + returned, limit // 4)
        items = [*short_outputs(older, left), *newest]
    for turn in reversed(turns(items)):
        size = tokens(turn)
        if size <= limit:
            kept = turn + kept
            limit -= size
            continue
        if not kept or limit >= SMALLEST_PART:
            kept = cut(turn, limit) + kept
        break
    return kept


def short_outputs(items: Sequence[Any], limit: int) -> _Items:
    """The items with what tools returned cut, the oldest first, to about `limit` tokens together.

    Encrypted reasoning counts with it, and is left out where the outputs are cut.
    """
    short: _Items = []
    for item in reversed(items):
        kept = item
        if _is_returned(item):
            limit -= tokens([item])
            if limit < 0:
                kept = _short(item)
        if kept is not None:
            short.append(kept)
    return short[::-1]


def _is_returned(item: Any) -> bool:
    return item.get("type") in {"function_call_output", "reasoning"}


def _short(item: Any) -> Any:
    if item["type"] == "reasoning":
        return None
    return _with_texts(item, lambda text: bounded(text, SHORT_OUTPUT))


def with_bounded_outputs(items: Sequence[Any], limit: int) -> list[TResponseInputItem]:
    """The items with at most about `limit` tokens of text in the output of each tool: the middle of
    a longer one is left out, with a note for the model.
    """
    return [
        cut([item], limit)[0] if item.get("type") == "function_call_output" else item
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


def turns(items: Sequence[Any]) -> list[_Items]:
    """The items in turns: each is a message of the user and everything up to the next one."""
    found: _Items = []
    for item in items:
        if item.get("role") == "user" or not found:
            found.append([])
        found[-1].append(item)
    return found


def cut(items: Sequence[Any], limit: int) -> _Items:
    """The items with their longest texts cut to one length, to have about `limit` tokens."""
    sizes = sorted(_tokens(text) for item in items for text in _texts(item))
    left = max(limit - sum(_tokens(_whole(item)) for item in items), 0)
    longest = 0
    for position, size in enumerate(sizes):
        longest = left // (len(sizes) - position)
        if size > longest:
            break
        left -= size
    return [_with_texts(item, lambda text: bounded(text, longest)) for item in items]


def _tokens(text: str) -> int:
    return len(text.encode()) // BYTES_OF_A_TOKEN


def _whole(item: Any) -> str:
    """What an item has beside its texts, which cannot be cut."""
    return str(item.get("arguments") or item.get("encrypted_content") or "")


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
