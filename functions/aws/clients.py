"""AWS clients with decided limits, and a way to call them without blocking the loop.

boto3 is synchronous. Every call runs on one pool of `POOL` threads, and every
client has as many connections, so that a thread never waits for a connection
and a flood of calls queues here instead of opening sockets without end.

What a call may cost at worst, retries and backoff included (botocore's standard
mode makes `TOTAL_ATTEMPTS` attempts and waits at most 1 s, then 2 s, between):

| service         | connect | read | attempts | at most |
| --------------- | ------- | ---- | -------- | ------- |
| dynamodb        | 1 s     | 3 s  | 3        | 15 s    |
| s3              | 1 s     | 10 s | 3        | 36 s    |
| s3, GetObject   | 1 s     | 10 s | 5        | 88 s    |
| others          | 1 s     | 5 s  | 3        | 21 s    |

DynamoDB answers in single-digit milliseconds: 3 s of silence is a lost packet,
and a retry finds a healthy host. S3 moves up to 20 MB, and its read timeout
counts the silence between two packets, not the whole transfer.

botocore is done when the head of an object's answer is there, so `Bucket.get`
retries a body that breaks off or falls silent. While attempts are left it asks
again, which botocore may make three attempts of: at worst two bodies that fall
silent (1 + 10 + 10 s each), then three attempts (36 s) and a third such body (10 s).
https://docs.aws.amazon.com/boto3/latest/guide/retries.html
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from threading import Lock
from typing import Any, TypeVar

import boto3
from botocore.config import Config

from .. import VERSION
from ..settings import get_aws_settings

POOL = 32
TOTAL_ATTEMPTS = 3
CONNECT_SECONDS = 1
READ_SECONDS = {"dynamodb": 3, "s3": 10}
DEFAULT_READ_SECONDS = 5
USER_AGENT = f"chatkit-serverless/{VERSION} Boto3/{boto3.__version__}"

T = TypeVar("T")

_creating = Lock()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(POOL, thread_name_prefix="aws")


def config(service: str, endpoint: str | None = None) -> Config:
    """Botocore's settings for a service, as decided above."""
    return Config(
        max_pool_connections=POOL,
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS.get(service, DEFAULT_READ_SECONDS),
        retries={"mode": "standard", "total_max_attempts": TOTAL_ATTEMPTS},
        # The old signature signs neither length nor type of an upload.
        signature_version="s3v4" if service == "s3" else None,
        # botocore's default adds a checksum header that a browser's PUT cannot know of.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        tcp_keepalive=True,
        # botocore would make this anew, twice a call, with every feature that the call uses.
        user_agent=USER_AGENT,
        # Only the store makes DynamoDB's parameters, of values that it has checked.
        parameter_validation=service != "dynamodb",
        # A new bucket is not known at S3's global host yet, which answers with a redirect that
        # a browser's upload may not follow. (An endpoint of one's own keeps its own style.)
        s3={"addressing_style": "virtual"} if service == "s3" and endpoint is None else None,
    )


@cache
def _session() -> boto3.Session:
    return boto3.Session()


@cache
def _client(service: str, region: str, endpoint: str | None) -> Any:
    return _session().client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        config=config(service, endpoint),
    )


def client(service: str) -> Any:
    """The process's boto3 client for `service`, made on first use.

    Clients are thread-safe, but making one is not, hence the lock. Nothing is
    connected before the first call, so a SnapStart snapshot holds no socket.
    """
    settings = get_aws_settings()
    with _creating:
        return _client(service, settings.aws_region, settings.aws_endpoint_url)


async def call(method: Callable[..., T], /, **kwargs: Any) -> T:
    """Run a synchronous call on the pool and await its result.

    Cancelling the awaiting task abandons the result; the call itself goes on to
    its end, so a write that was begun may still be made.
    """
    return await asyncio.get_running_loop().run_in_executor(_pool(), partial(method, **kwargs))


async def together(*calls: Awaitable[Any]) -> list[Any]:
    """The results of calls made side by side, all ended; the first error, if any, is raised.

    Unlike `asyncio.gather`, no write goes on behind the back of a caller that was
    told of an error.
    """
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results
