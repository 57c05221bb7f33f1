"""Sends the spans of a run to a collector: OTLP over HTTP, as JSON.

https://opentelemetry.io/docs/specs/otlp/#otlphttp. OpenTelemetry's own packages would add over
6 MB to the bundle, and export from a thread, which Lambda freezes. What is needed of the protocol
is this module.
"""

import asyncio
import logging
import os
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import httpx2

from .addresses import is_loopback
from .spans import Span, Value, begin

logger = logging.getLogger(__name__)

EXPORT_SECONDS: Final = 1.0
"""The longest time by which a collector can delay the last byte of an answer. There is no second
attempt: an answer is worth more than its trace."""

_KINDS: Final = {"internal": 1, "server": 2, "client": 3}
_FAILED: Final = 2
_XRAY: Final = re.compile(r"Root=1-([0-9a-f]{8})-([0-9a-f]{24})")


class Collector:
    """A collector. `headers` reads what `OTEL_EXPORTER_OTLP_HEADERS` has: `name=value,…`."""

    def __init__(self, endpoint: str, headers: Callable[[], Awaitable[str]] | None = None) -> None:
        self._url = f"{endpoint.rstrip('/')}/v1/traces"
        self._headers = headers
        self._client: httpx2.AsyncClient | None = None

    def begin(self, name: str) -> Span:
        """Begin a trace, with the id of X-Ray's trace where there is one."""
        found = _XRAY.search(os.environ.get("_X_AMZN_TRACE_ID", ""))
        return begin(name, "".join(found.groups()) if found else None)

    async def send(self, first: Span) -> None:
        """End the trace and send it. Never raises, and takes `EXPORT_SECONDS` at most."""
        first.finish()
        try:
            async with asyncio.timeout(EXPORT_SECONDS):
                client = await self._made_client()
                headers = {} if self._headers is None else _parsed(await self._headers())
                answer = await client.post(self._url, json=_document(first), headers=headers)
                answer.raise_for_status()
        except Exception as error:  # noqa: BLE001 - whatever it is, the answer goes on
            logger.warning("a trace was not taken by the collector: %s", _reason(error))

    async def _made_client(self) -> httpx2.AsyncClient:
        if self._client is None:
            # In a thread, because it reads the authorities' certificates. It keeps no connection,
            # which would be dead after Lambda has frozen the process, so it needs no closing.
            self._client = await asyncio.to_thread(
                httpx2.AsyncClient,
                timeout=EXPORT_SECONDS,
                limits=httpx2.Limits(max_keepalive_connections=0),
                trust_env=not is_loopback(urlsplit(self._url).hostname),
            )
        return self._client


def _reason(error: Exception) -> str:
    if isinstance(error, httpx2.HTTPStatusError):
        return f"status {error.response.status_code}"
    return type(error).__name__


def _parsed(headers: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in headers.split(",") if "=" in pair)
    return {name.strip(): unquote(value.strip()) for name, _, value in pairs}


def _document(first: Span) -> dict[str, Any]:
    spans = [_as_json(each) for each in first.trace.spans if each.end]
    service = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "chatkit")
    resource = {"attributes": _attributes({"service.name": service})}
    scope = {"scope": {"name": "chatkit-serverless"}, "spans": spans}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}


def _as_json(span: Span) -> dict[str, Any]:
    attributes = (
        span.attributes if span.error is None else {**span.attributes, "error.type": span.error}
    )
    return {
        "traceId": span.trace.id,
        "spanId": span.id,
        **({"parentSpanId": span.parent} if span.parent else {}),
        "name": span.name,
        "kind": _KINDS[span.kind],
        "startTimeUnixNano": str(span.start),
        "endTimeUnixNano": str(span.end),
        "attributes": _attributes(attributes),
        "status": {"code": _FAILED} if span.error else {},
    }


def _attributes(values: dict[str, Value]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in values.items()]


def _value(value: Value) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
    return {"stringValue": value}
