"""Who is asking: an anonymous visitor with a signed token."""

from functions.identity.keys import signing_key
from functions.identity.visitor import AnonymousIdentity, Visitor, request_context

__all__ = ["AnonymousIdentity", "Visitor", "request_context", "signing_key"]
