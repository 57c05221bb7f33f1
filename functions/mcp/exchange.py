"""A token of the person for whom a server acts, in exchange for their own (RFC 8693)."""

from time import time
from typing import Annotated, Literal
from urllib.parse import quote_plus

import httpx2
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from .failure import McpError
from .servers import TokenExchange

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
TOKEN_TYPES = "urn:ietf:params:oauth:token-type:"  # noqa: S105 - a prefix of names
DEFAULT_SECONDS = 300.0
"""How long a token is used whose issuer does not say how long it lives."""
MAX_BYTES = 64 * 1024


class _Answer(BaseModel):
    access_token: Annotated[str, StringConstraints(min_length=1, pattern=r"^[\x21-\x7e]+$")]
    token_type: str
    expires_in: float = Field(DEFAULT_SECONDS, gt=0)


class _Refusal(BaseModel):
    error: Annotated[str, StringConstraints(pattern=r"^[a-z_]+$", max_length=60)]


async def exchange_token(
    exchange: TokenExchange,
    client_secret: str,
    subject_token: str,
    kind: Literal["access", "id"],
    http: httpx2.AsyncClient,
) -> tuple[str, float]:
    """The new token, and when it expires (Unix seconds).

    `subject_token` is the person's own, an access or an ID token. It goes to the token endpoint
    and nowhere else. Raises `McpError`.
    """
    asked = {
        "grant_type": GRANT,
        "subject_token": subject_token,
        "subject_token_type": f"{TOKEN_TYPES}{kind}_token",
        "requested_token_type": f"{TOKEN_TYPES}access_token",
        "audience": exchange.audience,
    }
    began = time()
    try:
        status, body = await _post(http, exchange, client_secret, asked)
    except httpx2.HTTPError as error:
        raise McpError(f"no token for it: {type(error).__name__}", gone=True) from None
    try:
        if status != httpx2.codes.OK:
            refused = _Refusal.model_validate_json(body).error
            raise McpError(f"no token for it: {refused}", gone=True)
        answer = _Answer.model_validate_json(body)
    except ValidationError:
        raise McpError(f"no token for it: status {status}", gone=True) from None
    if answer.token_type.lower() != "bearer":
        raise McpError("no token for it: it is no bearer token", gone=True)
    return answer.access_token, began + answer.expires_in


async def _post(
    http: httpx2.AsyncClient, exchange: TokenExchange, secret: str, asked: dict[str, str]
) -> tuple[int, bytes]:
    body = bytearray()
    # RFC 6749, 2.3.1: both are encoded as in a form.
    auth = httpx2.BasicAuth(quote_plus(exchange.client_id), quote_plus(secret))
    async with http.stream("POST", exchange.token_url, data=asked, auth=auth) as answer:
        # Raw bytes: a small compressed answer could unpack to a huge one.
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) > MAX_BYTES:
                raise McpError("no token for it: the answer is too long", gone=True)
    return answer.status_code, bytes(body)
