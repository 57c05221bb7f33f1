"""Errors that a person reads. Every other exception is a fault, and only the log tells of it."""

from collections.abc import Mapping, Sequence
from typing import Any


class PublicError(Exception):
    """A request that cannot be served, with a sentence for the person who sent it.

    `status` is the HTTP status, `message` the sentence, `headers` go out with the answer.
    Before an answer begins it becomes JSON with that status; in the middle of a stream, an
    error event. `functions.web` translates it, and nothing else does.
    """

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})


class ActionError(PublicError):
    """What a tool or a pressed button was asked for cannot be done, and nothing was changed."""


def first_problem(problems: Sequence[Mapping[str, Any]], *, skip: int = 0) -> str:
    """The first thing that pydantic found wrong, as `place: what`, without the input itself.

    `problems` is `ValidationError.errors()`. The first `skip` parts of the place are left out.
    """
    first = problems[0]
    place = ".".join(str(part) for part in first["loc"][skip:])
    words = str(first["msg"]).removeprefix("Value error, ")
    return f"{place}: {words}" if place else words
