"""Parts of keys in the table and in the bucket, made from ids and names.

A key part is percent-encoded, so `#` and `/` only separate parts. A long part is replaced by its
digest, because a sort key holds 1,024 bytes and a model may return an id of any length.
"""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote, unquote

MAX_PART: Final = 200
"""Bytes of an encoded part; a longer one is replaced by its digest."""


def part(name: str) -> str:
    """A name as a key part. Different names give different parts."""
    if not isinstance(name, str):
        raise ValueError(f"an id is text, not {type(name).__name__}")  # noqa: TRY004 - bad input
    raw = name.encode("utf-8", "surrogatepass")
    encoded = quote(raw, safe="")
    # quote() encodes every "!", so a digest can never equal an encoded name.
    return encoded if len(encoded) <= MAX_PART else f"!{sha256(raw).hexdigest()}"


def name_of(encoded: str) -> str | None:
    """The name that a key part was made from; `None` for a digest, which tells nothing."""
    return None if encoded.startswith("!") else unquote(encoded, errors="surrogatepass")


def owner(context: Any) -> str:
    """The encoded user of a context, which is any mapping or object with a `user_id`.

    Raises `ValueError` for a context without one.
    """
    if isinstance(context, Mapping) and "user_id" in context:
        return named(context["user_id"])
    return named(getattr(context, "user_id", None))


def owner_by(user_of: Callable[[Any], str] | None) -> Callable[[Any], str]:
    """`owner`, or the same for contexts whose user `user_of` says.

    What it gives raises `ValueError` when `user_of` returns anything but a text that is not empty.
    """
    return owner if user_of is None else lambda context: named(user_of(context))


def named(user_id: Any) -> str:
    """A user's id as a key part. Raises `ValueError` for anything but a text that is not empty."""
    if not isinstance(user_id, str) or not user_id:
        raise ValueError("there is no user_id, so nothing can be read or written for it")
    return part(user_id)


def digest(name: str) -> str:
    """128 bits of a name's SHA-256 in hex, as a part of an object's key."""
    return sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
