"""The requests of the second function: identity, cancelling, and invalid input."""

import random

import httpx2
import pytest

from functions import VERSION
from functions.actions.app import create_app
from functions.settings import Settings
from functions.store import Runs


def remember(thread_id):
    return {
        "type": "threads.sync_custom_action",
        "params": {
            "thread_id": thread_id,
            "item_id": thread_id or "msg_1",
            "action": {"type": "theme.applied", "payload": {"scheme": "dark"}},
        },
    }


async def test_health_names_version_and_model_without_reading_the_table(http, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    response = await http.get("/actions/health")
    assert response.json() == {"status": "ok", "version": VERSION, "model": "demo"}


async def test_a_run_is_cancelled_by_its_owner_only(ada, people):
    runs = Runs(ada.store.table)
    stranger = people()
    response = await stranger.post("/actions/cancel", {"run_id": "run-1"})
    assert response.json() == {"cancelled": True}
    assert not await runs.is_cancelled("run-1", ada.context)
    for _ in range(2):
        response = await ada.post("/actions/cancel", {"run_id": "run-1"})
        assert (response.status_code, response.json()) == (200, {"cancelled": True})
    assert await runs.is_cancelled("run-1", ada.context)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"run_id": ""}', b'{"run_id": 5}', b"[1]", b"\xff"])
async def test_a_cancel_request_without_a_run_id_is_rejected(ada, body):
    response = await ada.post("/actions/cancel", body)
    assert response.status_code == 422
    assert response.json()["message"]


async def test_a_forged_token_makes_a_new_user(ada):
    thread = await ada.thread()
    forged = {"x-chatkit-authorization": f"Bearer {ada.user.token[:-3]}abc"}
    response = await ada.http.post("/actions", json=remember(thread.id), headers=forged)
    assert response.status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b"\xff\xfe\x00", 400),
        (b"null", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"type": "threads.explode"}', 400),
        (b'{"type": "threads.custom_action"}', 422),
        (b'{"type": "threads.custom_action", "params": {"thread_id": "t"}}', 422),
        (b'{"type": "threads.custom_action", "params": {"thread_id": 1, "action": {}}}', 422),
        (b'{"type": "input.transcribe", "params": {"audio_base64": "%%", "mime_type": ""}}', 422),
        (b'{"type": "' + b"x" * 5_000_000 + b'"}', 413),
    ],
)
async def test_an_invalid_operation_gets_a_message_that_says_what_is_wrong(ada, body, status):
    response = await ada.post("/actions", body)
    assert response.status_code == status
    assert response.json()["message"]
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/actions", "/actions/cancel", "/actions/uploads"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_another_method_is_a_4xx_with_a_message(http, path, method):
    response = await http.request(method, path)
    assert response.status_code == 405
    assert response.json()["message"]


async def test_no_request_causes_a_5xx(ada):
    chance = random.Random(5)
    seeds = [
        (
            b'{"type": "threads.custom_action", "params": {"thread_id": "thr_1", "item_id": "i", '
            b'"action": {"type": "item.toggle", "payload": {"id": "0123456789ab", "done": true}}}}'
        ),
        b'{"type": "input.transcribe", "params": {"audio_base64": "aGVsbG8=", "mime_type": "a/b"}}',
        b'{"run_id": "r"}',
        b'{"key": "uploads/voice/x", "mime_type": "audio/wav", "size": 100000}',
    ]
    for _ in range(300):
        body = bytearray(chance.choice(seeds))
        for _ in range(chance.randrange(4)):
            place = chance.randrange(len(body))
            body[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        path = chance.choice(
            ["/actions", "/actions/cancel", "/actions/transcribe", "/actions/uploads"]
        )
        kind = chance.choice(["application/json", "multipart/form-data; boundary=r", "text/plain"])
        response = await ada.post(path, bytes(body), **{"content-type": kind})
        assert response.status_code < 500, (path, kind, bytes(body))
        assert response.is_success or response.json()["message"]


@pytest.mark.parametrize("thread_id", ["", "#", "x" * 3_000, "t\u0000t", "🧵", "a/b c"])
async def test_any_unknown_thread_id_is_a_404(ada, thread_id):
    response = await ada.post("/actions", remember(thread_id))
    assert response.status_code == 404


async def test_only_pages_on_configured_origins_may_send_actions(cloud):
    app = create_app(Settings(_env_file=None, allowed_origins=["https://shop.example"]))
    transport = httpx2.ASGITransport(app)
    asks = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-amz-content-sha256,x-chatkit-run-id",
    }
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        for origin, allowed in (("https://shop.example", True), ("https://evil.example", False)):
            preflight = await http.options("/actions", headers={"origin": origin, **asks})
            assert preflight.is_success == allowed
            refused = await http.post(
                "/actions",
                content=b"{",
                headers={"origin": origin, "content-type": "application/json"},
            )
            assert refused.status_code == (400 if allowed else 403)
            for answer in (preflight, refused):
                named = answer.headers.get("access-control-allow-origin")
                assert named == (origin if allowed else None)
