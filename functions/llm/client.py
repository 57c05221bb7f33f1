"""The OpenAI client for a model's endpoint, made once for each endpoint and event loop.

All waits and retries of requests to models are decided here. They are the same for each provider,
whose servers are alike: what differs is how long a model thinks.
"""

import asyncio
from weakref import WeakKeyDictionary

from httpx2 import Request, Timeout
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from .providers import Endpoint
from .tool_calls import NumberingClient
from .whole_answers import make_whole

TIMEOUT = Timeout(connect=5, read=120, write=30, pool=5)
"""Seconds. `read` is the wait for the next bytes of a stream: a reasoning model may send nothing
for over a minute before its first token, and a server of one's own may load a model first. `write`
is for a request, which may carry files of some megabytes. The run's deadline limits the whole
answer."""

MAX_RETRIES = 1
"""Retries by the SDK, with jitter, before the first token: after connection errors, 408, 409, 429
and 5xx. With more, somebody who waits would learn of an outage later. There are none where another
model answers instead (`functions.llm.fallback`)."""

_Key = tuple[Endpoint, str, int]

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[_Key, AsyncOpenAI]] = (
    WeakKeyDictionary()
)


def model_client(endpoint: Endpoint, api_key: str, *, retries: int = MAX_RETRIES) -> AsyncOpenAI:
    """The client of the running event loop, because a connection works in one loop only."""
    clients = _clients.setdefault(asyncio.get_running_loop(), {})
    key = (endpoint, api_key, retries)
    if key not in clients:
        clients[key] = _make(endpoint, api_key, retries)
    return clients[key]


def _make(endpoint: Endpoint, api_key: str, retries: int) -> AsyncOpenAI:
    # `make_whole` reads the bytes as they are sent.
    headers = {"Accept-Encoding": "identity"}
    before = [_key_as_azure_wants_it] if endpoint.provider == "azure" else []
    http_client = DefaultAsyncHttpxClient(
        timeout=TIMEOUT, event_hooks={"request": before, "response": [make_whole]}
    )
    if endpoint.provider == "bedrock":
        from openai.providers import bedrock  # noqa: PLC0415 - takes time at a cold start

        return NumberingClient(
            # The SDK finds the credentials and signs in a thread, for each attempt anew. botocore
            # renews those that expire, such as a function's after a snapshot was restored.
            provider=bedrock(
                endpoint=endpoint.kind,
                region=endpoint.region,
                base_url=endpoint.base_url,
                profile=endpoint.profile,
            ),
            project=endpoint.project,
            max_retries=retries,
            default_headers=headers,
            http_client=http_client,
        )
    return NumberingClient(
        api_key=api_key or "none",  # a local server may need no key, but the SDK does
        base_url=endpoint.base_url,
        max_retries=retries,
        default_headers=headers,
        http_client=http_client,
    )


async def _key_as_azure_wants_it(request: Request) -> None:
    """https://learn.microsoft.com/azure/ai-foundry/openai/latest: keys are in `api-key`."""
    request.headers["api-key"] = request.headers.pop("authorization").removeprefix("Bearer ")
