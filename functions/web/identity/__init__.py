"""Identifies the visitor of a request by a signed token."""

from ...settings import Settings
from .signing_key import signing_keys
from .visitor import AnonymousIdentity, Visitor, request_context

__all__ = ["AnonymousIdentity", "Visitor", "identity_of", "request_context"]


def identity_of(settings: Settings) -> AnonymousIdentity:
    """The identity provider for `settings`. Raises `ValueError` without a signing key."""
    return AnonymousIdentity(signing_keys(settings), settings.allowed_origins)
