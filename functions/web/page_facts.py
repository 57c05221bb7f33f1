"""What a request's headers say of the visitor's page and language.

A link can be made to say anything there, so this is text without line breaks, and no instruction.
"""

import re
from urllib.parse import unquote, urlsplit

from starlette.requests import Request

from ..characters import one_line

MAX_FACT = 500
"""Characters of the page's address or title."""

MAX_LANGUAGE = 35
"""Characters. RFC 5646 (section 4.4.1) derives this as the room that registered tags need."""

_LANGUAGE = re.compile(
    r"[a-z]{2,3}(-[a-z]{3}){0,3}(-[a-z]{4})?(-([a-z]{2}|\d{3}))?(-([a-z\d]{5,8}|\d[a-z\d]{3}))*"
    r"(-[a-wyz\d](-[a-z\d]{2,8})+)*(-x(-[a-z\d]{1,8})+)?",
    re.IGNORECASE | re.ASCII,
)
"""A language tag (RFC 5646, section 2.1)."""


def page_facts(request: Request, *, keep_query: bool) -> dict[str, str]:
    """The page's `url` and `title`, as far as the request has them.

    The address has no name, password or fragment, and a query only with `keep_query`.
    """
    facts = {
        "url": _address(request.headers.get("x-chatkit-page-url", ""), keep_query=keep_query),
        # The page percent-encodes titles, because headers are ASCII.
        "title": one_line(unquote(request.headers.get("x-chatkit-page-title", ""))),
    }
    return {name: fact[:MAX_FACT] for name, fact in facts.items() if fact}


def language(request: Request) -> str | None:
    """The first language of `Accept-Language`, such as `de` or `pt-BR`; `None` for any other."""
    first = request.headers.get("accept-language", "").split(",")[0].split(";")[0].strip()
    return first if len(first) <= MAX_LANGUAGE and _LANGUAGE.fullmatch(first) else None


def _address(url: str, *, keep_query: bool) -> str:
    """It stays percent-encoded, so it contains neither spaces nor line breaks."""
    try:
        parts = urlsplit(one_line(url))
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if not parts.hostname:
        return ""
    query = f"?{parts.query}" if keep_query and parts.query else ""
    address = f"{parts.scheme}://{parts.hostname}{port}{parts.path}{query}"
    return address.replace(" ", "%20")
