"""Converts an event of a Function URL (payload format 2.0) to an ASGI HTTP scope.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from .context import Context

Scope = dict[str, Any]

_PORTS = {"http": 80, "https": 443}


class BadEventError(ValueError):
    """The event is not an HTTP request of payload format 2.0."""


def read_event(event: object, context: Context, state: Mapping[str, Any]) -> tuple[Scope, bytes]:
    """The scope and the complete body. Raises `BadEventError`."""
    try:
        return _read(event, context, state)
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        raise BadEventError(
            "not an HTTP request in Lambda's payload format 2.0 "
            f"({type(exc).__name__}: {exc}); a Function URL sends nothing else"
        ) from exc


def _read(event: Any, context: Context, state: Mapping[str, Any]) -> tuple[Scope, bytes]:
    request = event["requestContext"]
    http = request["http"]
    raw_path: str = event["rawPath"] or "/"
    headers = _headers(event)
    named = dict(headers)
    scheme = "http" if named.get(b"x-forwarded-proto") == b"http" else "https"
    port = named.get(b"x-forwarded-port", b"")
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": http["method"].upper(),
        "scheme": scheme,
        "path": unquote_to_bytes(raw_path).decode("utf-8", "replace"),
        "raw_path": raw_path.encode("utf-8"),
        "query_string": (event.get("rawQueryString") or "").encode("utf-8"),
        "root_path": "",
        "headers": headers,
        "client": (str(http.get("sourceIp") or ""), 0),
        "server": (
            str(request.get("domainName") or named.get(b"host", b"").decode("latin-1")),
            int(port) if port.isdigit() else _PORTS[scheme],
        ),
        "state": dict(state),
        "extensions": {"aws.lambda": context.extension()},
    }
    return scope, _body(event)


def _headers(event: Any) -> list[tuple[bytes, bytes]]:
    """Lambda joins repeated headers with commas. It sends cookies as a separate list, and a
    Function URL also sends them as a header.
    """
    cookies = event.get("cookies")
    headers = [
        (name.lower().encode("latin-1"), _header_value(value))
        for name, value in (event.get("headers") or {}).items()
        if not (cookies and name.lower() == "cookie")
    ]
    if cookies:
        headers.append((b"cookie", _header_value("; ".join(cookies))))
    return headers


def _header_value(value: str) -> bytes:
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:  # the client sent UTF-8, which Lambda has decoded
        return value.encode("utf-8")


def _body(event: Any) -> bytes:
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            return base64.b64decode(body, validate=True)
        except binascii.Error as exc:
            raise ValueError(f"the body is not base64: {exc}") from exc
    encoded: bytes = body.encode("utf-8")
    return encoded
