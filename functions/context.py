"""The context of one request."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal

PageAbility = Literal["client_tools", "widget_actions"]
"""What a page may be able to do for the assistant: run its tools, handle actions of its widgets."""


@dataclass(eq=False)
class RequestContext:
    """The user of one request, and what its token, headers and body say.

    `user_id` owns every row that this request reads or writes. In the app, only `web.identity`
    sets it. The other fields have defaults, so a script or a test needs only
    `RequestContext(user_id="ada")`.
    """

    user_id: str
    run_id: str | None = None
    """`x-chatkit-run-id`: the page's id of one streaming request, which a cancel request names."""
    locale: str | None = None
    """The first language of `Accept-Language`, such as `de` or `pt-BR`. Always a language tag."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """The `metadata` of the request's body, which the SDK's `process()` drops."""
    headers: dict[str, str] = field(default_factory=dict)
    """The request's headers that `Assistant.headers` names, in that spelling."""
    page: dict[str, str] = field(default_factory=dict)
    """The page's `url` and `title`, from the headers `x-chatkit-page-url` and `-title`: what a link
    may say. The model gets them as data. Put them into no instructions."""
    page_abilities: frozenset[str] | None = None
    """What the page can do, from the header `x-chatkit-page-can`; `None` when it does not say."""
    tenant: str | None = None
    """The organisation of a signed-in person, where a claim names it. It is part of `user_id`."""
    roles: frozenset[str] = frozenset()
    """The roles of a signed-in person, where a claim names them."""
    name: str | None = None
    """The name of a signed-in person. People choose it themselves: never decide by it."""
    email: str | None = None
    """The address of a signed-in person, when their issuer says that it has verified it."""

    network: str | None = None
    """A keyed digest of the network that the request came from, for the limits; `None` where
    CloudFront is not in front."""
    newcomer: bool = False
    """Whether this is an anonymous visitor on their first day."""

    def has_role(self, any_of: Collection[str]) -> bool:
        """Whether the user has one of these roles; true when no role is asked for."""
        return not any_of or not self.roles.isdisjoint(any_of)

    def page_can(self, ability: PageAbility) -> bool:
        """Whether the page can do this, as far as is known."""
        return self.page_abilities is None or ability in self.page_abilities
