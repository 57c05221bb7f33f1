"""Events by hand, for invocations that come from no URL."""

import json


def get(target: str) -> bytes:
    """A GET in payload format 2.0, with what a runtime cannot do without."""
    path, _, query = target.partition("?")
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {},
        "requestContext": {"http": {"method": "GET", "sourceIp": "127.0.0.1"}},
    }
    return json.dumps(event, separators=(",", ":")).encode()
