"""What is known about one request."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class RequestContext:
    """One request's context: the user, and what the request says about itself.

    `user_id` owns every row that this request reads or writes. In the app only `web.identity`
    sets it. Every other field has a default: a script or a test says
    `RequestContext(user_id="ada")`.
    """

    user_id: str
    run_id: str | None = None
    """`x-chatkit-run-id`: the page's id of one streaming request. Cancelling names it."""
    locale: str | None = None
    """The first language of `Accept-Language`, such as `de` or `pt-BR`."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """The `metadata` of the request's body, which the SDK's `process()` drops."""
    page: dict[str, str] = field(default_factory=dict)
    """The page's address and title, from the headers `x-chatkit-page-*`."""
