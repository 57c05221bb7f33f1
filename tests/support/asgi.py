"""Sends a request to an ASGI app as a server does, and finds the routes that it has."""

import json

from fastapi.routing import iter_route_contexts

HOST = "chat.example"


class Answer:
    """What an app sent, and whether it read the request's body."""

    def __init__(self):
        self.status = 0
        self.headers = {}
        self.body = b""
        self.body_was_read = False

    @property
    def message(self):
        return json.loads(self.body)["message"]


async def send(app, method, path, headers=(), body=b"{"):
    """One request over TLS to `HOST`. A header that is None is left out."""
    given = {"host": HOST, "content-length": str(len(body)), "x-forwarded-proto": "https"}
    given = {**given, "content-type": "application/json", **dict(headers)}
    answer = Answer()

    async def receive():
        answer.body_was_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def take(message):
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            answer.body += message.get("body", b"")

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(k.encode(), v.encode()) for k, v in given.items() if v is not None],
        "client": ("203.0.113.7", 50000),
        "server": ("127.0.0.1", 8000),
    }
    await app(scope, receive, take)
    return answer


def changing(app):
    """The methods and paths of every route that may change something, with parameters filled in."""
    found = []
    for route in iter_route_contexts(app.routes):
        methods = set(route.methods) - {"GET", "HEAD", "OPTIONS"}
        found += [(method, route.path.replace("{", "").replace("}", "")) for method in methods]
    return sorted(found)
