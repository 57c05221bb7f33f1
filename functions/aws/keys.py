"""How names become parts of keys, in the table and in the bucket.

A key part is percent-encoded, so `#` and `/` only ever separate parts. A long one is replaced
by its digest: a sort key holds 1,024 bytes, and a model may invent an id of any length.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

MAX_PART: Final = 200
"""Bytes of an encoded part before it is digested; two of them and their separators fit a key."""


def part(name: str) -> str:
    """One name as one key part; distinct names give distinct parts."""
    if not isinstance(name, str):
        raise ValueError(f"an id is text, not {type(name).__name__}")  # noqa: TRY004 - bad input
    raw = name.encode("utf-8", "surrogatepass")
    encoded = quote(raw, safe="")
    # quote() never leaves a "!" standing, so a digest cannot meet an encoded name.
    return encoded if len(encoded) <= MAX_PART else f"!{sha256(raw).hexdigest()}"


def owner(context: Any) -> str:
    """The encoded user of a context, which is any mapping or object with a `user_id`.

    Raises `ValueError` for a context without one.
    """
    if isinstance(context, Mapping) and "user_id" in context:
        return named(context["user_id"])
    return named(getattr(context, "user_id", None))


def named(user_id: Any) -> str:
    """The encoded user of an id; `ValueError` for what is no name."""
    if not isinstance(user_id, str) or not user_id:
        raise ValueError("there is no user_id, so nothing can be read or written for it")
    return part(user_id)


def digest(name: str) -> str:
    """A name as a key part: 128 bits of its SHA-256, in hex."""
    return sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
