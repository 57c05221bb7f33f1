"""Requests that change something and are no message are counted, and uploads by their bytes."""

import pytest
from fastapi.routing import APIRoute

from functions.actions.app import router as actions_router
from functions.chat.app import router as chat_router
from tests.support.chat import Chat
from tests.support.limited import used
from tests.support.turnstile import SECRET, SITE_KEY


def test_upload_links_are_refused_over_the_bytes_of_a_day(limited):
    url = limited({"person": {"upload_bytes_per_day": 1_000}, "newcomers": 1})
    actions = limited(
        {"person": {"upload_bytes_per_day": 1_000}, "newcomers": 1},
        actions=True,
        transcription_base_url="http://127.0.0.1:9/v1",
        transcription="openai",
    )
    chat = Chat(url)
    chat.http.post("/chatkit/session")

    def announce(size):
        return chat.post("attachments.create", name="a.txt", size=size, mime_type="text/plain")

    assert announce(10**9).status_code == 413  # too large: refused, and not counted
    assert [announce(400).status_code for _ in range(3)] == [200, 200, 429]
    audio = {"mime_type": "audio/webm", "size": 900}
    refused = chat.http.post(f"{actions}/actions/uploads", json=audio)
    assert refused.status_code == 429
    assert "files" in refused.json()["message"]
    assert used(chat) == {"upload_bytes_per_day": 800}


READS = {"/chatkit", "/chatkit/entities", "/chatkit/usage", "/chatkit/health", "/actions/health",
         "/chatkit/files/{attachment_id}", "/chatkit/report", "/actions/transcribe"}  # fmt: skip
"""`/chatkit` has a test of its own, and a transcription counts as a message."""


def writes():
    return [
        pytest.param(method, route.path, id=f"{method} {route.path}")
        for router in (chat_router, actions_router)
        for route in router.routes
        if isinstance(route, APIRoute) and route.path not in READS
        for method in sorted(route.methods - {"HEAD"})
    ]


CHALLENGED = {"turnstile_site_key": SITE_KEY, "turnstile_secret": SECRET}


@pytest.mark.parametrize("settings", [{}, CHALLENGED], ids=["new", "challenged"])
@pytest.mark.parametrize(("method", "path"), writes())
def test_every_route_that_changes_something_is_counted(limited, method, path, settings):
    table = {"network": {"requests_per_minute": 2}}
    url = limited(table, actions=path.startswith("/actions"), behind_cloudfront=True, **settings)
    statuses = []
    for _ in range(6):  # a new minute may begin once in between
        chat = Chat(url)
        chat.http.headers["x-chatkit-viewer-ip"] = "203.0.113.7"
        statuses.append(chat.http.request(method, path, json={}).status_code)
    assert statuses.count(429) >= 2
    elsewhere = {"x-chatkit-viewer-ip": "203.0.114.7"}
    assert Chat(url).http.request(method, path, json={}, headers=elsewhere).status_code != 429


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("threads.update", {"thread_id": "t", "title": "x"}),
        ("threads.delete", {"thread_id": "t"}),
        ("items.feedback", {"thread_id": "t", "item_ids": ["m"], "kind": "positive"}),
        ("attachments.create", {"name": "a.txt", "size": 3, "mime_type": "text/plain"}),
        ("attachments.delete", {"attachment_id": "a"}),
    ],
)
def test_every_operation_that_changes_something_is_counted(limited, kind, params):
    chat = Chat(limited({"person": {"requests_per_minute": 2}}))
    chat.http.post("/chatkit/session")
    statuses = [chat.post(kind, **params).status_code for _ in range(6)]
    assert statuses.count(429) >= 2
    assert chat.post("threads.list").status_code == 200
