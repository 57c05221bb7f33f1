"""Verifies the token of a signed-in person.

PyJWT verifies the signature, the issuer and the times. The rest is here: for whom the token is,
and whether it is the kind of token that is asked for. An access token is meant for an API and an
ID token for the page. Neither must be accepted as the other (RFC 8725, 3.11 and 3.12), because each
is sent to services that never see the other.
"""

import logging
from typing import Any

import jwt
from jwt.exceptions import ExpiredSignatureError, InvalidSignatureError, PyJWTError

from ...errors import PublicError
from ...settings import OidcToken
from .bearer import expired_token, invalid_token
from .issuer_keys import ALGORITHMS, IssuerKeys, KeysUnavailableError

LEEWAY = 60
"""Seconds by which the issuer's clock may differ from ours."""

RETRY_AFTER = 3
"""Seconds after which a request is worth sending again when the issuer's keys are not there."""

Claims = dict[str, Any]

_PLAIN = "jwt"
_ACCESS = "at+jwt"
"""`typ` of access tokens: RFC 9068, 2.1."""

_OF_ID_TOKENS = ("nonce", "at_hash", "c_hash", "s_hash")
"""Claims of ID tokens only: OpenID Connect Core, 2 and 3.3.2.11."""

logger = logging.getLogger(__name__)


class _RefusedError(Exception):
    """Why a token is refused, for the log. It quotes nothing of the token."""


class TokenVerifier:
    """Verifies tokens of one issuer. `token` is the kind that is accepted."""

    def __init__(
        self,
        issuer: str,
        *,
        client_id: str | None,
        audience: str | None,
        token: OidcToken,
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._audience = audience
        self._token = token
        self._for_an_api = token == "access"  # noqa: S105 - a kind of token
        self._keys = IssuerKeys(issuer)

    async def verify(self, token: str) -> Claims:
        """The claims of a token that is valid here.

        Raises `PublicError`: 401 for every other token, and 503 when that cannot be found out
        because the issuer does not answer. Then ChatKit's element sends the request again.
        """
        try:
            return await self._verify(token)
        except ExpiredSignatureError:
            raise expired_token() from None
        except PyJWTError as error:
            logger.warning("a token was refused: %s", type(error).__name__)
        except _RefusedError as error:
            logger.warning("a token was refused: %s", str(error))
        except KeysUnavailableError:
            raise PublicError(
                503,
                "Your sign-in cannot be checked at the moment. Please try again.",
                {"retry-after": str(RETRY_AFTER)},
            ) from None
        raise invalid_token()

    async def _verify(self, token: str) -> Claims:
        # Of the header, only these three are read. So a key, or the address of one, that a token
        # brings along (`jwk`, `jku`, `x5u`, `x5c`) counts for nothing.
        header = jwt.get_unverified_header(token)
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise _RefusedError("it is not signed with an algorithm that is accepted")
        typ = _type(header)
        self._check_type(typ)
        for key in await self._keys.find(header.get("kid"), algorithm):
            try:
                claims: Claims = jwt.decode(
                    token,
                    key,
                    algorithms=[algorithm],
                    issuer=self._issuer,
                    leeway=LEEWAY,
                    # `aud` is checked below, with what may stand in for it.
                    options={
                        "require": ["iss", "exp"],
                        "verify_aud": False,
                        "enforce_minimum_key_length": True,
                    },
                )
            except InvalidSignatureError:
                continue
            self._check_kind(typ, claims)
            self._check_audience(claims)
            return claims
        raise _RefusedError("no key of the issuer has signed it")

    def _check_type(self, typ: str) -> None:
        """Let only tokens for signing in pass: a logout token, for instance, has another `typ`."""
        if typ != _PLAIN and not (self._for_an_api and typ == _ACCESS):
            raise _RefusedError("its typ is not that of the tokens in CHATKIT_OIDC_TOKEN")

    def _check_kind(self, typ: str, claims: Claims) -> None:
        """Refuse the other kind of token, by what either kind says of itself."""
        says_access = (
            typ == _ACCESS
            or claims.get("token_use") == "access"  # Cognito
            or claims.get("typ") == "Bearer"  # Keycloak
            or "scope" in claims
            or "scp" in claims
        )
        says_id = (
            claims.get("token_use") == "id"
            or claims.get("typ") == "ID"
            or any(claim in claims for claim in _OF_ID_TOKENS)
        )
        if self._for_an_api:
            # An ID token names the client in `aud`. So a token that names nothing else has to say
            # that it is an access token.
            named = self._audience in _audiences(claims) and self._audience != self._client_id
            right = not says_id and (named or says_access or "client_id" in claims)
        else:
            right = not says_access
        other_use = claims.get("token_use", self._token) != self._token
        if not right or other_use:
            raise _RefusedError(f"it is not an {self._token} token (CHATKIT_OIDC_TOKEN)")

    def _check_audience(self, claims: Claims) -> None:
        """Refuse a token that was made for somebody else."""
        audiences = _audiences(claims)
        if not self._for_an_api:
            # OpenID Connect Core, 3.1.3.7, 3 to 5.
            party = claims.get("azp", self._client_id)
            if self._client_id not in audiences or party != self._client_id:
                raise _RefusedError("its aud or azp does not name CHATKIT_OIDC_CLIENT_ID")
            return
        if self._audience is not None:
            if self._audience in audiences:
                return
            if audiences:
                raise _RefusedError("its aud does not name CHATKIT_OIDC_AUDIENCE")
        # Cognito's access tokens have no `aud`, and Keycloak's name other services in it.
        clients = [claims.get("client_id"), claims.get("azp")]
        if self._client_id is None or self._client_id not in [*audiences, *clients]:
            raise _RefusedError("its aud, client_id or azp does not name CHATKIT_OIDC_CLIENT_ID")


def _audiences(claims: Claims) -> list[Any]:
    audience = claims.get("aud")
    if isinstance(audience, list):
        return audience
    return [] if audience is None else [audience]


def _type(header: dict[str, Any]) -> str:
    """`typ` in small letters; `jwt` when there is none."""
    return str(header.get("typ", "jwt")).lower().removeprefix("application/")
