"""Reads a request's body, within a limit."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from ..characters import whole_json
from ..errors import PublicError, first_problem

M = TypeVar("M", bound=BaseModel)


async def read_body(request: Request, limit: int) -> bytes:
    """The body. Raises `PublicError` (413) as soon as it is larger than `limit` bytes."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise _too_large(limit)
    except ClientDisconnect:
        raise PublicError(400, "The request ended before its body did.") from None
    return bytes(body)


async def read_json(request: Request, model: type[M], limit: int, *, empty: bool = False) -> M:
    """The body as a `model`. Raises `PublicError`: 422 when it is invalid, 413 over `limit`.

    With `empty`, no body at all is the same as `{}`.
    """
    body = await read_body(request, limit)
    if empty and not body:
        body = b"{}"
    try:
        return model.model_validate_json(whole_json(body))
    except ValidationError as error:
        problem = first_problem(error.errors(include_url=False, include_input=False))
        raise PublicError(422, problem) from None


def _too_large(limit: int) -> PublicError:
    return PublicError(413, f"The request is larger than {limit // 1024} KB.")
