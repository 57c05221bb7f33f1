"""What everything downstream knows of one request."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class RequestContext:
    """One request's context: who asks, and how they asked.

    `user_id` owns every row that this request reads or writes; it comes from
    `functions.web.identity` and from nowhere else. The rest is optional, so that a
    script or a test can say `RequestContext(user_id="ada")`.
    """

    user_id: str
    run_id: str | None = None
    """`x-chatkit-run-id`: one streaming request of the page. Cancelling names it."""
    locale: str | None = None
    """The first language of `Accept-Language`, such as `de` or `pt-BR`."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """The `metadata` of the request's body, which the SDK's `process()` drops."""
    page: dict[str, str] = field(default_factory=dict)
    """What the page says of itself (`x-chatkit-page-*` headers): its address, its title."""
