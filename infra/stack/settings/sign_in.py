"""Who may ask: visitors with a cookie, and people who sign in."""

from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from functions.settings import Issuer, Names, OidcToken, Origins
from infra.stack.settings.group import FUNCTIONS, SettingsGroup

_OF_COGNITO = {"auth": "oidc", "oidcToken": "id", "oidcRolesClaim": "cognito:groups"}


class CookieSettings(SettingsGroup):
    cookie_secret: str | None = Field(
        None,
        description="Name or ARN of an existing secret that signs anonymous visitors' cookies: a "
        "key of 32 bytes or more, or a JSON list of keys, newest first. By default the stack makes "
        "one with a random value.",
    )


class SignInSettings(SettingsGroup):
    auth: Literal["anonymous", "oidc"] = Field(
        "anonymous",
        description="Who may chat: `anonymous` visitors, each known by a cookie, or people who "
        "sign in at an `oidc` issuer (docs/sign-in.md).",
    )
    sign_in: Literal["cognito"] | None = Field(
        None,
        description="`cognito` makes a Cognito user pool with sign-in pages, and sets `auth` and "
        "what the `oidc` settings need for it (docs/sign-in.md).",
    )
    sign_up: bool = Field(
        False,
        description="With `signIn=cognito`, anybody may make an account. By default only an "
        "administrator makes them.",
    )
    sign_in_mfa: Literal["optional", "required"] = Field(
        "optional",
        description="With `signIn=cognito`, a second factor (an authenticator app). `required` has "
        "everybody set one up on the sign-in pages, which do not offer it when it is `optional`.",
    )
    sign_in_providers: Names = Field(
        default_factory=list,
        description="With `signIn=cognito`, the names of identity providers that you have added to "
        "the pool, such as `Google`, comma-separated.",
    )
    oidc_issuer: Issuer | None = Field(
        None,
        description="Address of the OpenID Connect issuer, exactly as its tokens name it in `iss`.",
    )
    oidc_client_id: str | None = Field(
        None, description="Id of the page's client at the issuer: a public one, with PKCE."
    )
    oidc_audience: str | None = Field(
        None, description="Name of this API at the issuer, which access tokens carry in `aud`."
    )
    oidc_token: OidcToken = Field(
        FUNCTIONS["oidc_token"].default,
        description="Kind of token that the page sends: `access`, or `id` where access tokens "
        "lack names and roles, as Cognito's do.",
    )
    oidc_optional: bool = Field(
        False,
        description="Visitors without a token may chat too, as anonymous visitors.",
    )
    oidc_scopes: str = Field(
        FUNCTIONS["oidc_scopes"].default,
        description="What the page asks the issuer for, separated by spaces.",
    )
    oidc_origins: Origins = Field(
        [],
        description="Further origins that the page calls to sign in, comma-separated: that of the "
        "issuer's token endpoint where it is not the issuer's own, such as the domain of a Cognito "
        "user pool.",
    )
    oidc_user_claim: str = Field(
        FUNCTIONS["oidc_user_claim"].default,
        min_length=1,
        description="Claim that tells people apart. Changing it gives everybody an empty history.",
    )
    oidc_name_claim: str = Field(
        FUNCTIONS["oidc_name_claim"].default,
        min_length=1,
        description="Claim with the person's name.",
    )
    oidc_tenant_claim: str | None = Field(
        None,
        description="Claim with the person's organisation. With it, whoever has none is refused, "
        "and nothing is shared between organisations.",
    )
    oidc_roles_claim: str | None = Field(
        None,
        description="Claim with the person's roles, such as `roles`, `cognito:groups` or "
        "`realm_access.roles`.",
    )
    turnstile_site_key: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]{1,100}$",
        description="Site key of a widget of Cloudflare's Turnstile, whose challenge new anonymous "
        "visitors have to solve first (docs/security.md). `make secret KEY=turnstile` stores the "
        "widget's secret key.",
    )
    allowed_origins: Origins = Field(
        default_factory=list,
        description="Other origins whose pages may call the API: exact, comma-separated.",
    )

    @model_validator(mode="before")
    @classmethod
    def _with_cognito(cls, typed: dict[str, Any]) -> dict[str, Any]:
        """What `signIn=cognito` decides where nothing else is typed."""
        return {**_OF_COGNITO, **typed} if typed.get("signIn") == "cognito" else typed

    @property
    def scopes(self) -> list[str]:
        return self.oidc_scopes.split()

    @property
    def claims(self) -> list[str]:
        """The claims that the functions read."""
        claims = (
            self.oidc_user_claim,
            self.oidc_name_claim,
            self.oidc_tenant_claim,
            self.oidc_roles_claim,
        )
        return [claim for claim in claims if claim is not None]

    @property
    def sign_in_origins(self) -> list[str]:
        """The origins that the page calls to sign people in, for its content policy."""
        if self.oidc_issuer is None or self.oidc_client_id is None:
            return []
        issuer = urlsplit(self.oidc_issuer)
        return list(dict.fromkeys([f"{issuer.scheme}://{issuer.netloc}", *self.oidc_origins]))
