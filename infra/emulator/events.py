"""Events for invocations that do not come from a Function URL."""

import json


def get(target: str) -> bytes:
    """A GET in payload format 2.0, with the fields that a runtime needs."""
    path, _, query = target.partition("?")
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {},
        "requestContext": {"http": {"method": "GET", "sourceIp": "127.0.0.1"}},
    }
    return json.dumps(event, separators=(",", ":")).encode()
