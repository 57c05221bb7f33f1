"""Who is asking: an anonymous visitor with a signed token."""

from ...settings import Settings
from .signing_key import signing_key
from .visitor import AnonymousIdentity, Visitor, request_context

__all__ = ["AnonymousIdentity", "Visitor", "identity_of", "request_context"]


def identity_of(settings: Settings) -> AnonymousIdentity:
    """How this deployment tells people apart. Raises `ValueError` without a key to sign with."""
    return AnonymousIdentity(signing_key(settings), settings.allowed_origins)
