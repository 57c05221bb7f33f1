"""Who is asking: an anonymous visitor with a signed token."""

from ...settings import Settings
from .signing_key import signing_key
from .visitor import AnonymousIdentity, Visitor, request_context

__all__ = ["AnonymousIdentity", "Visitor", "identity_of", "request_context"]


def identity_of(settings: Settings) -> AnonymousIdentity:
    """How this deployment tells people apart. Raises `ValueError` where it cannot."""
    if settings.auth == "jwt":
        raise ValueError("CHATKIT_AUTH=jwt: signing in is not part of this version yet")
    return AnonymousIdentity(signing_key(settings), settings.allowed_origins)
