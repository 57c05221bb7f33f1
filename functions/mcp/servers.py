"""Which MCP servers there are, as a setting or an assistant's code says it."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)

from ..addresses import SecureAddress

CALL_SECONDS = 30.0
"""The default of a server's `timeout`."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OWN = re.compile(
    r"accept.*|connection|content-.*|cookie|host|mcp-.*|transfer-encoding", re.IGNORECASE
)
"""Headers that HTTP and MCP set themselves, and the one of cookies, which open this app."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SecretName(_Part):
    """A value that is in AWS Secrets Manager, under this name or ARN."""

    secret: str = Field(min_length=1)


def _sendable(value: object) -> object:
    if isinstance(value, str) and not (value.isascii() and value.isprintable()):
        raise ValueError("it has a character that cannot be sent in a header")
    return value


def _header(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a header")
    if _OWN.fullmatch(name):
        raise ValueError(f"the header {name} cannot be set")
    return name.lower()


Value = SecretName | Annotated[SecretStr, BeforeValidator(_sendable)]
"""A value as it is, or the name of the secret that has it."""


class TokenExchange(_Part):
    """How the token of a signed-in person becomes one for the server (RFC 8693)."""

    token_url: SecureAddress
    """The token endpoint that exchanges it. It gets the person's token; the MCP server does not."""
    audience: str = Field(min_length=1)
    """The name of the MCP server at the issuer."""
    client_id: str = Field(min_length=1)
    client_secret: Value


class McpServer(_Part):
    """An MCP server that speaks streamable HTTP."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,19}$")
    """The model knows the tool `find` of the server `shop` as `mcp_shop__find`. Visitors read the
    name when the server does not answer."""
    url: SecureAddress
    tools: list[str] | None = None
    """The names of the tools that may be used, as the server calls them. By default all."""
    headers: dict[Annotated[str, AfterValidator(_header)], Value] = Field(default_factory=dict)
    """What each request carries, such as `authorization`."""
    approve: list[str] | Literal["changes"] = Field(default_factory=list)
    """The tools that need the visitor's approval. With `changes` all do but those that the server
    declares as read-only (`readOnlyHint`)."""
    timeout: float = Field(CALL_SECONDS, gt=0, le=300)
    """Seconds for one call."""
    shared: bool = True
    """Whether people for whom all headers are the same share a connection. Set it to false for a
    server that keeps something of its own for each connection, such as a basket."""
    exchange: TokenExchange | None = None
    """How the server gets a token of the person for whom it acts. Then no connection is shared."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.exchange is not None and "authorization" in self.headers:
            raise ValueError("a header `authorization` and an `exchange` exclude each other")
        return self

    @property
    def acts_for_person(self) -> bool:
        """Whether each person has a connection of their own."""
        return self.exchange is not None or not self.shared

    def allows(self, tool: str) -> bool:
        """Whether a tool may be used."""
        return self.tools is None or tool in self.tools

    def values(self) -> Iterator[tuple[str, SecretName | SecretStr]]:
        """Each value that may be secret, with the place where it stands."""
        for name, value in self.headers.items():
            yield f"headers.{name}", value
        if self.exchange is not None:
            yield "exchange.client_secret", self.exchange.client_secret

    def secret_names(self) -> list[str]:
        """The names of the secrets that the server's headers and its exchange need."""
        return [value.secret for _, value in self.values() if isinstance(value, SecretName)]

    def as_json(self) -> dict[str, Any]:
        """The server with the values of its headers, for an environment variable or a digest."""
        return dict(_revealed(self.model_dump(exclude_defaults=True)))


def _revealed(value: Any) -> Any:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case dict():
            return {name: _revealed(each) for name, each in value.items()}
    return value


def unique_names(servers: Sequence[McpServer]) -> list[McpServer]:
    """The servers. Raises `ValueError` when two have one name."""
    for name, times in Counter(server.name for server in servers).items():
        if times > 1:
            raise ValueError(f"{name} names {times} servers")
    return list(servers)
