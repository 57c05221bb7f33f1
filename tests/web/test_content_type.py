"""Bodies are JSON, and where files are sent also forms: a foreign page can send neither unasked."""

import pytest

from tests.support.asgi import changing, send

NOT_JSON = [
    "text/plain",
    "text/plain; charset=utf-8",
    "text/plain;application/json",
    "application/x-www-form-urlencoded",
    "application/jsonp",
    "application/json, text/plain",
    "text/json",
    "json",
    "",
    None,
]
TRANSCRIBE = "/actions/transcribe"


@pytest.mark.parametrize("kind", [*NOT_JSON, "multipart/form-data; boundary=x"])
async def test_every_route_refuses_another_type_before_the_body_is_read(make, kind):
    for app in make():
        for method, path in changing(app):
            if path == TRANSCRIBE and str(kind).startswith("multipart/"):
                continue
            answer = await send(app, method, path, {"content-type": kind})
            assert answer.status == 415, (method, path)
            assert "application/json" in answer.message
            assert not answer.body_was_read
            assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON", "application/json; charset=utf-8"]
)
async def test_every_route_takes_json(make, kind):
    for app in make():
        for method, path in changing(app):
            answer = await send(app, method, path, {"content-type": kind})
            assert answer.status in {200, 204, 400, 422}, (method, path, answer.status)


async def test_a_form_is_taken_where_files_are_sent(make):
    _, actions = make()
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = await send(actions, "POST", TRANSCRIBE, headers, b"--x--\r\n")
    assert (answer.status, answer.body_was_read) == (422, True)
    refused = await send(actions, "POST", TRANSCRIBE, {"content-type": "text/plain"})
    assert "multipart/form-data" in refused.message


async def test_a_request_without_a_body_needs_no_type(make):
    chat, _ = make()
    nothing = {"content-type": None}
    assert (await send(chat, "POST", "/chatkit/session", nothing, b"")).status == 200
    unknown = {"content-type": None, "content-length": None}
    assert (await send(chat, "POST", "/chatkit/session", unknown, b"")).status == 200
    chunked = {**unknown, "transfer-encoding": "chunked"}
    assert (await send(chat, "POST", "/chatkit/session", chunked, b"{}")).status == 415


async def test_a_configured_page_can_read_why_it_was_refused(make):
    chat, _ = make(allowed_origins=["https://shop.example"])
    headers = {"origin": "https://shop.example", "content-type": "text/plain"}
    answer = await send(chat, "POST", "/chatkit", headers)
    assert answer.status == 415
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
