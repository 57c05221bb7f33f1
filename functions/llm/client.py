"""The HTTP client to the model, made once for each endpoint and event loop."""

import asyncio
from weakref import WeakKeyDictionary

from httpx2 import Timeout
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

TIMEOUT = Timeout(connect=5, read=120, write=30, pool=5)
"""Seconds. Reading waits for the next bytes of a stream: a reasoning model can be silent for
a minute and more before its first token. The run's own deadline bounds the whole."""

RETRIES = 1
"""Of the SDK, with jitter, on connection errors, 408, 409, 429 and 5xx, before any token has
arrived. More would only hide an outage from somebody who waits."""

_Endpoint = tuple[str | None, str]

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[_Endpoint, AsyncOpenAI]] = (
    WeakKeyDictionary()
)


def openai_client(base_url: str | None, api_key: str) -> AsyncOpenAI:
    """The client of the running loop: connections cannot cross from one loop to another."""
    clients = _clients.setdefault(asyncio.get_running_loop(), {})
    endpoint = (base_url, api_key)
    if endpoint not in clients:
        clients[endpoint] = AsyncOpenAI(
            api_key=api_key or "none",  # a local server asks for none, the SDK does
            base_url=base_url,
            max_retries=RETRIES,
            http_client=DefaultAsyncHttpxClient(timeout=TIMEOUT),
        )
    return clients[endpoint]
