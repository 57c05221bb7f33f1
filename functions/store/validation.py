"""Bad input, found before anything is written: what is stored can be read back as it was."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

MAX_ID: Final = 8_192
"""Bytes of an id. It is stored beside the body, in a row that holds 400 KB with its index entry."""


@contextmanager
def input_errors(what: str) -> Iterator[None]:
    """Make one `ValueError` of all that bad input can raise, without quoting any of it."""
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
    """`ValueError` for a NaN or an infinity anywhere, which JSON has no word for."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("NaN and infinity are no JSON")
    elif isinstance(value, dict):
        for each in value.values():
            check_finite(each)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            check_finite(each)
