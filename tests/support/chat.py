"""A client of the chat as a browser is one: ChatKit's operations over real HTTP."""

import json
from contextlib import contextmanager

import httpx2

ELSEWHERE = "https://shop.example"
"""The origin of a page on another domain than the API."""

JSON = {"content-type": "application/json"}
"""The headers of a body that a test wrote itself."""


class Chat:
    """One browser, which keeps its cookies."""

    def __init__(self, url):
        self.url = url
        self.http = httpx2.Client(base_url=url, timeout=30)

    def post(self, kind, headers=None, /, **params):
        body = {"type": kind, "params": params}
        return self.http.post("/chatkit", json=body, headers=headers)

    def read(self, kind, /, **params):
        answer = self.post(kind, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    @contextmanager
    def open(self, kind, headers=None, /, **params):
        """A streaming request; yields an iterator of its events."""
        body = {"type": kind, "params": params}
        with self.http.stream("POST", "/chatkit", json=body, headers=headers) as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield (
                json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")
            )

    def stream(self, kind, headers=None, /, **params):
        with self.open(kind, headers, **params) as events:
            return list(events)

    def create(self, text="Hello", headers=None, **more):
        return self.stream("threads.create", headers, input=message(text, **more))

    def say(self, thread_id, text, headers=None, **more):
        return self.stream(
            "threads.add_user_message", headers, thread_id=thread_id, input=message(text, **more)
        )

    def items(self, thread_id, **params):
        return self.read("items.list", thread_id=thread_id, order="asc", **params)["data"]


def message(text, **more):
    content = [{"type": "input_text", "text": text}]
    return {"content": content, "attachments": [], "inference_options": {}, **more}


def thread_of(events):
    return next(event["thread"]["id"] for event in events if event["type"] == "thread.created")


def text_of(events):
    return "".join(
        event["update"]["delta"]
        for event in events
        if event["type"] == "thread.item.updated" and "delta" in event["update"]
    )
