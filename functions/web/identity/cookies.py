"""The session's cookie: its name, the one of a request, and how it is set and removed.

Over TLS its name begins with `__Host-`. Browsers accept such a cookie only from the host itself and
never from a sibling domain or over plain http:
https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes

Version 0.1 used the plain name over TLS, too, and its visitors stay who they are. But any sibling
domain can plant a cookie of the plain name, with a token of its own, and then read what the
visitor writes. So over TLS the plain name counts only

- when there is no cookie with the prefix, so a visitor who has one cannot be moved elsewhere;
- when its token was made by version 0.1 (`FORMER`), which nobody gets any more.

It is then replaced. What remains: somebody who kept a token from before the upgrade can plant it in
a browser that has no session, until it expires or its key is dropped (`make secret KEY=cookie
LEAKED=yes`).
"""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from ..viewer import scheme_of
from .anonymous import COOKIE, FORMER, Purpose

PLAIN = "chatkit_session"
OVER_TLS = f"__Host-{PLAIN}"


def token_in(request: Request) -> tuple[str | None, Sequence[Purpose]]:
    """The token in the request's cookie, and the purposes that it may have."""
    if not _over_tls(request):  # make dev
        return _single(request, PLAIN), (COOKIE, FORMER)
    if _values(request, OVER_TLS):
        return _single(request, OVER_TLS), (COOKIE,)
    return _single(request, PLAIN), (FORMER,)


def put_token(request: Request, response: Response, token: str) -> None:
    """Set the cookie, in place of one with the former name."""
    response.set_cookie(
        _name(request),
        token,
        max_age=int(COOKIE.lifetime.total_seconds()),
        path="/",
        secure=_over_tls(request),
        httponly=True,
        samesite="lax",
    )
    if _over_tls(request) and _values(request, PLAIN):
        _remove(request, response, PLAIN)


def remove_token(request: Request, response: Response) -> None:
    """Make the browser forget the session."""
    for name in {_name(request), PLAIN}:
        if _values(request, name):
            _remove(request, response, name)


def _remove(request: Request, response: Response, name: str) -> None:
    response.delete_cookie(name, path="/", secure=_over_tls(request), httponly=True, samesite="lax")


def _single(request: Request, name: str) -> str | None:
    """The cookie's value. Of two with this name neither counts: one of them was planted."""
    values = _values(request, name)
    return values[0] if len(values) == 1 else None


def _values(request: Request, name: str) -> list[str]:
    """All values of a cookie. `Request.cookies` holds only the last one of a name."""
    header = ";".join(request.headers.getlist("cookie"))
    pairs = (pair.partition("=") for pair in header.split(";"))
    return [value.strip() for each, _, value in pairs if each.strip() == name]


def _name(request: Request) -> str:
    return OVER_TLS if _over_tls(request) else PLAIN


def _over_tls(request: Request) -> bool:
    return scheme_of(request) == "https"
