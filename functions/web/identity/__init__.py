"""Identifies the visitor of a request: by a signed token of ours, or by one of an issuer."""

from ...settings import Settings
from .interface import Identity
from .signing_key import signing_keys
from .turnstile import Turnstile, check_turnstile
from .visitor import AnonymousIdentity, Visitor, request_context

__all__ = ["AnonymousIdentity", "Identity", "Visitor", "identity_of", "request_context"]


def identity_of(settings: Settings) -> Identity:
    """The identity provider for `settings`.

    Raises `ValueError` for settings that contradict each other, and without a signing key where
    visitors are anonymous.
    """
    check_turnstile(settings)
    if settings.auth == "anonymous":
        if unused := oidc_settings(settings):
            raise ValueError(f"CHATKIT_{unused[0].upper()} needs CHATKIT_AUTH=oidc")
        return _anonymous(settings)
    # PyJWT and cryptography would make each cold start of an anonymous deployment longer.
    from .oidc import OidcIdentity  # noqa: PLC0415

    return OidcIdentity(settings, _anonymous(settings) if settings.oidc_optional else None)


def oidc_settings(settings: Settings) -> list[str]:
    """The settings of sign-in that are not as they are by default."""
    return [
        name
        for name, field in Settings.model_fields.items()
        if name.startswith("oidc_") and getattr(settings, name) != field.default
    ]


def _anonymous(settings: Settings) -> AnonymousIdentity:
    turnstile = None if settings.turnstile_site_key is None else Turnstile(settings)
    return AnonymousIdentity(signing_keys(settings), settings.allowed_origins, turnstile)
