"""The bearer token of a request, and the refusals that RFC 6750 describes.

A token comes in `x-chatkit-authorization` or in `authorization`. CloudFront replaces the latter
with its own signature on the way to a Function URL, so other schemes in it are ignored.
"""

from starlette.requests import Request

from ...errors import PublicError
from .visitor import TOKEN_HEADER

MAX_TOKEN = 16_384
"""Characters. Lambda's and CloudFront's limits for all headers together are in this range."""

_SCHEME = "bearer"


def unauthorized(message: str, error: str | None = None, status: int = 401) -> PublicError:
    """A refusal. `error` is a code of RFC 6750, 3.1; without a token there is none."""
    challenge = 'Bearer realm="chatkit"' + (f', error="{error}"' if error else "")
    return PublicError(status, message, {"www-authenticate": challenge})


def not_signed_in() -> PublicError:
    return unauthorized("Please sign in.")


def invalid_token() -> PublicError:
    return unauthorized("This sign-in is not valid here. Please sign in again.", "invalid_token")


def expired_token() -> PublicError:
    return unauthorized("Your sign-in has expired. Please sign in again.", "invalid_token")


def bearer_token(request: Request) -> str | None:
    """The one token that the request carries, or None.

    Raises `PublicError`: 401 when it cannot be a token, and 400 when there are two that differ,
    because nobody could say whose request it is (RFC 6750, section 2).
    """
    tokens = set()
    for line in request.headers.getlist(TOKEN_HEADER):
        scheme, _, token = line.strip().partition(" ")
        if scheme.lower() != _SCHEME:
            raise invalid_token()  # the header has no other use
        tokens.add(token.strip())
    for line in request.headers.getlist("authorization"):
        scheme, _, token = line.strip().partition(" ")
        if scheme.lower() == _SCHEME:
            tokens.add(token.strip())
    if len(tokens) > 1:
        raise unauthorized("The request carries two different tokens.", "invalid_request", 400)
    if not tokens:
        return None
    token = tokens.pop()
    if not token or len(token) > MAX_TOKEN or not token.isascii():
        raise invalid_token()
    return token
