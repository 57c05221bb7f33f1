"""The OpenAI client for a model's endpoint, made once for each endpoint and event loop."""

import asyncio
from weakref import WeakKeyDictionary

from httpx2 import Timeout
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from .tool_calls import NumberingClient
from .whole_answers import make_whole

TIMEOUT = Timeout(connect=5, read=120, write=30, pool=5)
"""Seconds. `read` is the wait for the next bytes of a stream: a reasoning model may send nothing
for over a minute before its first token. The run's deadline limits the whole answer."""

MAX_RETRIES = 1
"""Retries by the SDK, with jitter, before the first token: after connection errors, 408, 409, 429
and 5xx. With more, somebody who waits would learn of an outage later."""

_Endpoint = tuple[str | None, str]

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[_Endpoint, AsyncOpenAI]] = (
    WeakKeyDictionary()
)


def openai_client(base_url: str | None, api_key: str) -> AsyncOpenAI:
    """The client of the running event loop, because a connection works in one loop only.

    `base_url` is `None` for OpenAI's own.
    """
    clients = _clients.setdefault(asyncio.get_running_loop(), {})
    endpoint = (base_url, api_key)
    if endpoint not in clients:
        clients[endpoint] = NumberingClient(
            api_key=api_key or "none",  # a local server may need no key, but the SDK does
            base_url=base_url,
            max_retries=MAX_RETRIES,
            # `make_whole` reads the bytes as they are sent.
            default_headers={"Accept-Encoding": "identity"},
            http_client=DefaultAsyncHttpxClient(
                timeout=TIMEOUT, event_hooks={"response": [make_whole]}
            ),
        )
    return clients[endpoint]
