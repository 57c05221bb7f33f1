"""AWS clients with decided limits, and a way to call them without blocking the event loop.

boto3 is synchronous. Every call runs on one pool of `POOL` threads, and every client may open as
many connections. So a thread never waits for a connection, and calls over that number wait here
instead of opening more sockets.

The longest time that a call can take, retries and backoff included (botocore's standard mode
makes `MAX_ATTEMPTS` attempts and waits at most 1 s, then 2 s, between them):

| service         | connect | read | attempts | at most |
| --------------- | ------- | ---- | -------- | ------- |
| dynamodb        | 1 s     | 3 s  | 3        | 15 s    |
| s3              | 1 s     | 10 s | 3        | 36 s    |
| s3, GetObject   | 1 s     | 10 s | 5        | 88 s    |
| s3vectors       | 1 s     | 10 s | 3        | 36 s    |
| others          | 1 s     | 5 s  | 3        | 21 s    |

DynamoDB answers in single-digit milliseconds: after 3 s without an answer a packet was lost, and
a retry reaches another host. S3 transfers up to 20 MB; its read timeout is the time between two
packets, not the time of the whole transfer. S3 Vectors stores 500 vectors in one request.

botocore's retries end when the headers of an object have arrived, so `Bucket.get` retries a body
that breaks off or stops arriving. It asks again while attempts are left, and botocore may make
three attempts each time: at worst two bodies that stop (1 + 10 + 10 s each), then three attempts
(36 s) and a third such body (10 s).
https://docs.aws.amazon.com/boto3/latest/guide/retries.html
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache, partial
from threading import Lock
from typing import Any, TypeVar

import boto3
from botocore.config import Config

from ..settings import get_aws_settings
from ..spans import span

POOL = 32
MAX_ATTEMPTS = 3
CONNECT_TIMEOUT = 1
READ_TIMEOUTS = {"dynamodb": 3, "s3": 10, "s3vectors": 10}
DEFAULT_READ_TIMEOUT = 5

T = TypeVar("T")

_creating = Lock()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(POOL, thread_name_prefix="aws")


def config(service: str, endpoint: str | None = None) -> Config:
    """Botocore's configuration for a service, with the limits above."""
    return Config(
        max_pool_connections=POOL,
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUTS.get(service, DEFAULT_READ_TIMEOUT),
        retries={"mode": "standard", "total_max_attempts": MAX_ATTEMPTS},
        # The old signature signs neither the length nor the type of an upload.
        signature_version="s3v4" if service == "s3" else None,
        # By default botocore adds a checksum header to a signed upload, which browsers do not send.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        tcp_keepalive=True,
        # S3's global host does not know a new bucket yet and redirects, and a browser's upload
        # may not follow a redirect. Another endpoint keeps the style that it needs.
        s3={"addressing_style": "virtual"} if service == "s3" and endpoint is None else None,
    )


@cache
def _client(service: str, region: str, endpoint: str | None, session: boto3.Session | None) -> Any:
    make = boto3.client if session is None else session.client
    return make(
        service, region_name=region, endpoint_url=endpoint, config=config(service, endpoint)
    )


def client(service: str, session: boto3.Session | None = None) -> Any:
    """The boto3 client for `service` in this process, made on first use.

    `session` is boto3's, by default its own default one.

    Clients can be shared between threads, but boto3 cannot make two at the same time: hence the
    lock. A client connects at its first call, so a SnapStart snapshot holds no socket.
    """
    settings = get_aws_settings()
    with _creating:
        return _client(service, settings.aws_region, settings.aws_endpoint_url, session)


async def call(method: Callable[..., T], /, **kwargs: Any) -> T:
    """Run a synchronous call on the pool, in the caller's context, and await its result.

    Cancelling the awaiting task drops the result, but the call itself runs to its end: a write
    that has started may still be made.
    """
    within = partial(copy_context().run, method, **kwargs)
    with span(_name(method), "client"):
        return await asyncio.get_running_loop().run_in_executor(_pool(), within)


def _name(method: Callable[..., Any]) -> str:
    """A call's name in traces, such as `dynamodb.query`."""
    meta = getattr(getattr(method, "__self__", None), "meta", None)
    if meta is None:
        return getattr(method, "__qualname__", "aws").replace("._", ".")
    return f"{meta.service_model.service_name}.{method.__name__}"


async def together(*calls: Awaitable[Any]) -> list[Any]:
    """Run calls in parallel, wait for all of them, and return their results.

    Raises the first error once all have ended. `asyncio.gather` raises it at once, while the
    other writes are still running.
    """
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results
