"""What every way of identifying a visitor has in common."""

from typing import Protocol

from starlette.requests import Request

from .visitor import Visitor


class Identity(Protocol):
    """Finds out who sent a request."""

    async def identify(self, request: Request) -> Visitor:
        """The visitor who sent the request. It reads the headers only.

        Raises `PublicError` when the visitor must not go on: 401 when they have to sign in.
        """

    async def newcomer(self, request: Request) -> Visitor:
        """A new anonymous visitor, whatever token the request has.

        Raises `PublicError` (401) where everybody has to sign in.
        """
