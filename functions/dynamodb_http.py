"""Asks DynamoDB with one write and, mostly, one read, a third cheaper than botocore does.

Every turn waits for two of these requests, and threads share one interpreter, so what they
cost every stream pays. Half of it is what urllib3 and `http.client` provide for: headers of
any kind, bodies of any kind. DynamoDB takes a small POST and answers a small JSON text of a
known length. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html

Connections, TLS, certificates, timeouts and the pool are botocore's and urllib3's as before,
and so is whatever is not plain: a proxy, a body that is no bytes, an answer without a length.
"""
# ruff: noqa: SLF001 - neither library has another way to lend a connection, or to be given an answer

import io
import socket
import ssl
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import _host_from_url
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.httpsession import URLLib3Session
from urllib3.exceptions import ConnectTimeoutError as Urllib3ConnectTimeoutError
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import SSLError as Urllib3SSLError
from urllib3.util.ssl_match_hostname import CertificateError

RECEIVED = 64 * 1024
LONGEST_HEAD = 64 * 1024
OK = 200


class PlainSession:
    """Sends what botocore would send by `session`, which is as its client configured it.

    `sent` is called on the sending thread each time that a request has left.
    """

    def __init__(self, session: URLLib3Session, sent: Callable[[], object]) -> None:
        self._session = session
        self._sent = sent
        self._hosts: dict[str, tuple[Any, str]] = {}

    def close(self) -> None:
        self._hosts.clear()
        self._session.close()

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """The answer; botocore's own exceptions for what fails, so that it retries as ever."""
        known = self._hosts.get(request.url)
        pool, host = known or self._hosts.setdefault(request.url, self._host(request.url))
        if pool is None or request.method != "POST" or not isinstance(request.body, bytes):
            self._sent()
            return self._session.send(request)
        connection = pool._get_conn()
        reusable = False
        try:
            _connect(connection, pool, request.url)
            response, reusable = self._exchange(connection.sock, request, host)
        finally:
            if not reusable:
                connection.close()
            pool._put_conn(connection)
        return response

    def _exchange(
        self, sock: socket.socket, request: AWSPreparedRequest, host: str
    ) -> tuple[AWSResponse, bool]:
        """The answer, and whether another request may follow it."""
        try:
            sock.sendall(_message(request, host))
            self._sent()
            return _answer(sock, request.url)
        except TimeoutError as error:
            raise ReadTimeoutError(endpoint_url=request.url, error=error) from error
        except (OSError, HTTPException, ValueError) as error:
            raise ConnectionClosedError(
                endpoint_url=request.url, request=request, error=error
            ) from error

    def _host(self, url: str) -> tuple[Any, str]:
        """Where connections to a URL come from, none behind a proxy; and what it is called."""
        parts = urlsplit(url)
        session = self._session
        if parts.query or parts.path not in {"", "/"} or session._proxy_config.proxy_url_for(url):
            return None, ""
        pool = session._manager.connection_from_url(url)
        session._setup_ssl_cert(pool, url, session._verify)
        return pool, _host_from_url(url)  # as it was signed


def _connect(connection: Any, pool: Any, url: str) -> None:
    """Connect what is new, or what urllib3 has found closed by the other end."""
    if connection.sock:
        return
    try:
        connection.connect()
    except (ssl.SSLError, CertificateError, Urllib3SSLError) as error:
        raise SSLError(endpoint_url=url, error=error) from error
    except NewConnectionError as error:  # to urllib3 one that timed out, too
        raise EndpointConnectionError(endpoint_url=url, error=error) from error
    except (TimeoutError, Urllib3ConnectTimeoutError) as error:
        raise ConnectTimeoutError(endpoint_url=url, error=error) from error
    except (HTTPError, OSError) as error:
        raise EndpointConnectionError(endpoint_url=url, error=error) from error
    connection.sock.settimeout(pool.timeout.read_timeout)


def _message(request: AWSPreparedRequest, host: str) -> bytes:
    lines = ["POST / HTTP/1.1", f"Host: {host}", "Accept-Encoding: identity"]
    lines += [
        f"{name}: {value.decode('latin-1') if isinstance(value, bytes) else value}"
        for name, value in request.headers.items()
    ]
    body: bytes = request.body
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _answer(sock: socket.socket, url: str) -> tuple[AWSResponse, bool]:
    """The answer, whole, and whether another request may follow it."""
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        if len(data) > LONGEST_HEAD:
            raise ValueError("no answer, but a head without an end")
        data += _receive(sock)
    first, *lines = data[:end].decode("latin-1").split("\r\n")
    version, status = first.split(" ", 2)[:2]
    fields = (line.partition(":") for line in lines)
    response = AWSResponse(
        url, int(status), {name: value.strip() for name, _, value in fields}, None
    )
    length = response.headers.get("content-length", "")
    plain = length.isdecimal() and "transfer-encoding" not in response.headers
    if not plain or int(status) < OK:
        theirs = HTTPResponse(_Received(data, sock), method="POST")  # type: ignore[arg-type]
        theirs.begin()
        response = AWSResponse(url, theirs.status, dict(theirs.headers.items()), None)
        response._content = theirs.read()
        return response, False
    parts = [data[end + 4 :]]
    missing = int(length) - len(parts[0])
    while missing > 0:
        parts.append(_receive(sock))
        missing -= len(parts[-1])
    response._content = b"".join(parts)
    kept = response.headers.get("connection", "").lower() != "close"
    return response, kept and version == "HTTP/1.1" and missing == 0


def _receive(sock: socket.socket) -> bytes:
    data = sock.recv(RECEIVED)
    if not data:
        raise ConnectionResetError("the connection was closed in the middle of an answer")
    return data


class _Received(io.RawIOBase):
    """What was received already, and then what the socket receives."""

    def __init__(self, data: bytes, sock: socket.socket) -> None:
        self._data = data
        self._sock = sock

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._data or self._sock.recv(len(buffer))
        buffer[: len(data)], self._data = data[: len(buffer)], data[len(buffer) :]
        return min(len(data), len(buffer))
