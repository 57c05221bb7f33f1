"""A signed-in person, from the claims of a verified token."""

import json
from dataclasses import dataclass
from typing import Any

from ...aws.keys import digest
from ...characters import one_line
from ...errors import PublicError
from ...settings import Settings
from .tokens import Claims

MAX_NAME = 200
"""Characters."""

_PREFIX = "oidc_"
"""No anonymous user's id begins with it."""

_NO_ACCOUNT = "Your account cannot be used here. Please ask whoever runs this service."


@dataclass(frozen=True)
class Person:
    """A signed-in person. `user_id` has only characters that a tag of an STS session may have."""

    user_id: str
    tenant: str | None
    roles: frozenset[str]
    name: str | None
    email: str | None


def person_of(claims: Claims, settings: Settings) -> Person:
    """The person that the claims name.

    Raises `PublicError` (403) when they name nobody, or no tenant where there has to be one. It is
    not 401, because signing in again would change nothing.
    """
    email = claims.get("email")
    # Cognito sends `true` as a string in some of its tokens.
    said = claims.get("email_verified")
    verified = said is True or said == "true"
    user = find_claim(claims, settings.oidc_user_claim)
    if not isinstance(user, str) or not user:
        raise PublicError(403, _NO_ACCOUNT)
    # Whoever may type any address into their profile must not become its owner.
    is_address = settings.oidc_user_claim != "sub" and "@" in user
    if is_address and not (verified and user == email):
        raise PublicError(403, "Your e-mail address is not verified. Please verify it first.")
    tenant = None
    if settings.oidc_tenant_claim is not None:
        tenant = find_claim(claims, settings.oidc_tenant_claim)
        if not isinstance(tenant, str) or not tenant:
            raise PublicError(403, _NO_ACCOUNT)
    return Person(
        user_id=owner_id(str(claims["iss"]), user, tenant),
        tenant=tenant,
        roles=_roles(claims, settings.oidc_roles_claim),
        name=_name(find_claim(claims, settings.oidc_name_claim)),
        email=email if verified and isinstance(email, str) and email else None,
    )


def owner_id(issuer: str, user: str, tenant: str | None) -> str:
    """The id under which everything of a person is stored: never change it.

    A digest of the issuer and the user, because two issuers may have the same `sub`, and a `sub`
    may have any characters. The tenant's digest comes first. So a tenant is in every key, and what
    belongs to one begins with the same characters.
    """
    of_user = digest(json.dumps([issuer, user]))
    if tenant is None:
        return f"{_PREFIX}{of_user}"
    return f"{_PREFIX}{digest(json.dumps([issuer, tenant]))}.{of_user}"


def find_claim(claims: Claims, path: str) -> Any:
    """The claim of this name, or else the one within others: `realm_access.roles`."""
    if path in claims:
        return claims[path]  # names such as https://example.com/roles have dots, too
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _roles(claims: Claims, path: str | None) -> frozenset[str]:
    """The roles of a list, or of a text with spaces or commas between them."""
    found = find_claim(claims, path) if path else None
    if isinstance(found, str):
        found = found.replace(",", " ").split()
    if not isinstance(found, list):
        return frozenset()
    return frozenset(role for role in found if isinstance(role, str) and role)


def _name(found: object) -> str | None:
    """A name in one line, because it may stand in a prompt."""
    return one_line(found)[:MAX_NAME] or None if isinstance(found, str) else None
