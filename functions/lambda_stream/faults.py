"""Errors in the Runtime API's format, and the error for a handler that cannot be loaded."""

import base64
import json
import traceback
from typing import Any

_MAX_MESSAGE = 2000  # trailers have the size limits of headers


class HandlerError(Exception):
    """`_HANDLER` does not name a callable that can be imported."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


def error_type(exc: BaseException) -> str:
    return exc.error_type if isinstance(exc, HandlerError) else type(exc).__name__


def error_document(exc: BaseException, request_id: str = "") -> dict[str, Any]:
    """The error as Lambda's console, its logs and a caller of `Invoke` get it."""
    cause = exc.__cause__ if isinstance(exc, HandlerError) and exc.__cause__ else exc
    return {
        "errorMessage": str(exc),
        "errorType": error_type(exc),
        "requestId": request_id,
        "stackTrace": traceback.format_tb(cause.__traceback__),
    }


def error_headers(exc: BaseException, as_type: str | None = None) -> list[tuple[str, str]]:
    return [
        ("Content-Type", "application/vnd.aws.lambda.error+json"),
        ("Lambda-Runtime-Function-Error-Type", _token(as_type or error_type(exc))),
    ]


def error_trailers(exc: BaseException, request_id: str) -> bytes:
    """The trailers that end a broken answer, with the error but without its traceback."""
    document = {**error_document(exc, request_id), "stackTrace": []}
    document["errorMessage"] = document["errorMessage"][:_MAX_MESSAGE]
    return (
        b"Lambda-Runtime-Function-Error-Type: %b\r\nLambda-Runtime-Function-Error-Body: %b\r\n"
    ) % (_token(error_type(exc)).encode(), base64.b64encode(json.dumps(document).encode()))


def _token(text: str) -> str:
    """`text` with only the characters that are safe in a header."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in text)
