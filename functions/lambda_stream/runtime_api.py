"""Lambda's Runtime API, from which a runtime gets invocations and to which it sends answers.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. When AWS's own Python runtime can
stream, it can replace this module and `response`.
"""

import json
import sys
from dataclasses import dataclass
from http import HTTPStatus

from .context import Context
from .faults import error_document, error_headers
from .http1 import Answer, Connection

_VERSION = "/2018-06-01"
_AGENT = ("User-Agent", f"lambda-stream/1 python/{sys.version_info[0]}.{sys.version_info[1]}")


class RuntimeApiError(Exception):
    """The Runtime API rejected a request."""


@dataclass(frozen=True, slots=True)
class Invocation:
    context: Context
    payload: bytes
    connection: Connection
    """Opened before the invocation arrives, so that the answer does not wait for it."""


class RuntimeApi:
    """`address` is `AWS_LAMBDA_RUNTIME_API`: `host:port`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._polling: Connection | None = None
        self._spare: Connection | None = None

    async def next(self) -> Invocation:
        """Wait for an invocation. Lambda freezes the environment during the wait.

        Raises `OSError` when the Runtime API cannot be reached, `RuntimeApiError` when it rejects
        the request.
        """
        path = f"{_VERSION}/runtime/invocation/next"
        if self._polling is None or not self._polling.usable:
            self._polling = await Connection.open(self._address)
        await self._polling.send(self._polling.head("GET", path, [_AGENT]))
        if self._spare is None:
            self._spare = await Connection.open(self._address)
        answer = await self._polling.read()
        if answer.status != HTTPStatus.OK:
            raise _refused(path, answer)
        if answer.headers.get("connection", "").lower() == "close":
            self._polling.close()
            self._polling = None
        connection, self._spare = self._spare, None
        if not connection.usable:
            connection.close()
            connection = await Connection.open(self._address)
        return Invocation(Context.from_headers(answer.headers), answer.body, connection)

    async def invocation_error(self, invocation: Invocation, exc: BaseException) -> None:
        """Report an error instead of an answer. Allowed only before the answer has started."""
        context = invocation.context
        headers = error_headers(exc)
        if context.invocation_id:
            headers.append(("Lambda-Runtime-Invocation-Id", context.invocation_id))
        path = f"{_VERSION}/runtime/invocation/{context.request_id}/error"
        await self._post(path, error_document(exc, context.request_id), headers)

    async def init_error(self, exc: BaseException, *, error_type: str | None = None) -> None:
        await self._post(
            f"{_VERSION}/runtime/init/error", error_document(exc), error_headers(exc, error_type)
        )

    async def restore_next(self) -> None:
        """SnapStart: Lambda takes the snapshot, and later restores it, during this call."""
        path = f"{_VERSION}/runtime/restore/next"
        await self._once("GET", path, b"", [], HTTPStatus.OK)

    async def restore_error(self, exc: BaseException, *, error_type: str) -> None:
        await self._post(
            f"{_VERSION}/runtime/restore/error",
            error_document(exc),
            error_headers(exc, error_type),
        )

    def close(self) -> None:
        for connection in (self._polling, self._spare):
            if connection is not None:
                connection.close()
        self._polling = self._spare = None

    async def _post(
        self, path: str, document: dict[str, object], headers: list[tuple[str, str]]
    ) -> None:
        body = json.dumps(document).encode()
        await self._once("POST", path, body, headers, HTTPStatus.ACCEPTED)

    async def _once(
        self,
        method: str,
        path: str,
        body: bytes,
        headers: list[tuple[str, str]],
        expected: HTTPStatus,
    ) -> None:
        connection = await Connection.open(self._address)
        try:
            length = ("Content-Length", str(len(body)))
            await connection.send(connection.head(method, path, [_AGENT, *headers, length]) + body)
            answer = await connection.read()
        finally:
            connection.close()
        if answer.status != expected:
            raise _refused(path, answer)


def _refused(path: str, answer: Answer) -> RuntimeApiError:
    return RuntimeApiError(f"{path}: {answer.status} {answer.body[:500].decode(errors='replace')}")
