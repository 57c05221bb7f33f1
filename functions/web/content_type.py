"""Refuses bodies of other types than the app reads.

A page on another origin may send text and forms without asking first, but JSON only after a
preflight, which the server does not grant it (https://fetch.spec.whatwg.org/#cors-safelisted-request-header).
"""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from .error_response import error_response
from .origin import SAFE_METHODS

JSON = "application/json"
FORM = "multipart/form-data"


class ContentTypeCheck:
    """Answers 415 to a body that is not JSON, before it is read.

    `form_paths` are the paths that also take files as a form. A request without a body needs no
    type.
    """

    def __init__(self, app: ASGIApp, form_paths: Collection[str] = ()) -> None:
        self._app = app
        self._form_paths = frozenset(form_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        types = [JSON, FORM] if scope["path"] in self._form_paths else [JSON]
        given = headers.get("content-type")
        if _media_type(given) in types if given is not None else not _has_body(headers):
            await self._app(scope, receive, send)
            return
        response = error_response(415, f"The content type of a body must be {' or '.join(types)}.")
        await response(scope, receive, send)


def _media_type(content_type: str) -> str:
    """The type without its parameters, such as the charset."""
    return content_type.partition(";")[0].strip().lower()


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
