"""Errors that a user reads. Every other exception is a fault and appears only in the log."""

from collections.abc import Mapping, Sequence
from typing import Any


class PublicError(Exception):
    """A request that cannot be served, with a message for the user.

    `status` is the HTTP status, `headers` are extra response headers, and `code` is a name for
    programs where the status does not say enough. `functions.web` turns the error into a JSON
    response with that status, or into an error event once a stream has started.
    """

    def __init__(
        self,
        status: int,
        message: str,
        headers: Mapping[str, str] | None = None,
        *,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})
        self.code = code


class ActionError(PublicError):
    """A tool or a widget action cannot do what it was asked for. Nothing was changed."""


def first_problem(problems: Sequence[Mapping[str, Any]], *, skip: int = 0) -> str:
    """The first of pydantic's errors as `location: message`, without the input itself.

    `problems` is `ValidationError.errors()`. The first `skip` parts of the location are left out.
    """
    first = problems[0]
    location = ".".join(str(part) for part in first["loc"][skip:])
    message = str(first["msg"]).removeprefix("Value error, ")
    return f"{location}: {message}" if location else message
