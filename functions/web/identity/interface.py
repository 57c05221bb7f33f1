"""What every way of identifying a visitor has in common."""

from typing import Protocol

from starlette.requests import Request

from .visitor import Visitor


class Identity(Protocol):
    """Finds out who sent a request."""

    async def identify(self, request: Request) -> Visitor:
        """The visitor who sent the request. Of the request it reads the headers only.

        Raises `PublicError` when the visitor must not go on: 401 when they have to sign in, or to
        solve a challenge first.
        """

    async def newcomer(self, request: Request, challenge: str | None = None) -> Visitor:
        """A new anonymous visitor, whatever token the request has.

        `challenge` is what a solved challenge has given. It is used up.

        Raises `PublicError` (401) where everybody has to sign in, and where a challenge comes first
        and `challenge` is no proof of a solved one.
        """
