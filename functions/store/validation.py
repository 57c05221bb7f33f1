"""Checks of input before anything is written, so that everything stored can be read back."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

MAX_ID: Final = 8_192
"""Bytes of an id. It is stored beside the body, and a row with its index entry holds 400 KB."""


@contextmanager
def input_errors(what: str) -> Iterator[None]:
    """Turn every error that invalid input causes inside into a `ValueError` about `what`.

    The message does not quote the input.
    """
    try:
        yield
    except (PydanticSerializationError, ValidationError, UnicodeError) as error:
        reason = "it is not JSON that can be read back (text in UTF-8, finite numbers, depth)"
        raise ValueError(f"{what} cannot be stored: {reason}; {type(error).__name__}") from None
    except (AttributeError, TypeError, RecursionError) as error:
        raise ValueError(
            f"{what} cannot be stored: a field has a wrong type; {type(error).__name__}"
        ) from None
    except ValueError as error:
        raise ValueError(f"{what} cannot be stored: {error}") from None


def check_id(name: Any) -> None:
    if not isinstance(name, str):
        raise ValueError(f"an id is text, not {type(name).__name__}")  # noqa: TRY004 - bad input
    if len(name.encode("utf-8", "surrogatepass")) > MAX_ID:
        raise ValueError(f"its id is over {MAX_ID} bytes")


def check_moment(moment: Any) -> None:
    if not isinstance(moment, datetime):
        raise ValueError(f"a moment is a datetime, not {type(moment).__name__}")  # noqa: TRY004


def check_finite(value: Any) -> None:
    """Raise `ValueError` for a NaN or an infinity at any depth: JSON has no such numbers."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("NaN and infinity are not JSON")
    elif isinstance(value, dict):
        for each in value.values():
            check_finite(each)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            check_finite(each)
