"""A page on a foreign origin can send nothing that changes something (CSRF)."""

import logging

import pytest

from functions.web.viewer import HOST_HEADER
from tests.support.asgi import HOST, changing, send

OWN = f"https://{HOST}"
SHOP = "https://shop.example"

FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    {"origin": f"https://{HOST}.evil.example"},
    {"origin": f"https://evil.example#{HOST}"},
    {"origin": f"https://{HOST}:8443", "sec-fetch-site": "same-site"},
    {"origin": f"http://{HOST}", "sec-fetch-site": "cross-site"},
    {"origin": f"https://api.{HOST}", "sec-fetch-site": "same-site"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "*"},
    {"origin": HOST},
    {"origin": f"{OWN}, https://evil.example"},
    {"origin": "https://evil.example", "sec-fetch-site": "same-origin"},
    {"origin": "https://evil.example", "x-chatkit-viewer-host": "evil.example"},
    {"origin": "https://evil.example", "x-forwarded-host": "evil.example"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "unheard-of"},
]
ALLOWED = [
    {"origin": OWN},
    {"origin": OWN, "sec-fetch-site": "same-origin"},
    {"origin": SHOP},
    {"origin": SHOP, "sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "none"},
    {},
]


def test_the_routes_that_change_something_are_found(make):
    chat, actions = make()
    assert ("POST", "/chatkit") in changing(chat)
    assert ("POST", "/chatkit/log") in changing(chat)
    assert ("POST", "/actions/cancel") in changing(actions)


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_every_route_refuses_a_foreign_page_before_the_body_is_read(make, headers):
    for app in make(allowed_origins=[SHOP]):
        for method, path in changing(app):
            answer = await send(app, method, path, headers)
            assert answer.status == 403, (method, path)
            assert answer.message
            assert not answer.body_was_read
            assert "set-cookie" not in answer.headers
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("headers", ALLOWED, ids=str)
async def test_every_route_takes_its_own_page_a_configured_one_and_what_is_no_browser(
    make, headers
):
    for app in make(allowed_origins=[SHOP]):
        for method, path in changing(app):
            answer = await send(app, method, path, headers)
            assert answer.status in {200, 204, 400, 422}, (method, path, answer.status)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_foreign_page_is_refused_by_any_method_and_path(make, method):
    for app in make():
        for path in ("/chatkit", "/chatkit/files/x", "/actions/cancel", "/nothing"):
            answer = await send(app, method, path, {"origin": "https://evil.example"})
            assert answer.status == 403


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_reading_is_not_refused_because_a_foreign_page_cannot_see_the_answer(make, method):
    chat, _ = make()
    headers = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    answer = await send(chat, method, "/chatkit/health", headers)
    assert answer.status == 200
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("scheme", "host", "origin", "status"),
    [
        ("http", "127.0.0.1:8000", "http://127.0.0.1:8000", 200),
        ("http", "127.0.0.1:8000", "http://127.0.0.1:9000", 403),
        ("http", "127.0.0.1:8000", "http://localhost:8000", 403),
        ("http", "[::1]:8000", "http://[::1]:8000", 200),
        ("https", "chat.example", "http://chat.example", 403),
        (None, "localhost:8000", "http://localhost:8000", 200),
    ],
)
async def test_an_origin_is_scheme_host_and_port(make, scheme, host, origin, status):
    chat, _ = make()
    headers = {"host": host, "origin": origin, "x-forwarded-proto": scheme}
    assert (await send(chat, "POST", "/chatkit/session", headers)).status == status


BEHIND = {"host": "abc.lambda-url.us-east-1.on.aws", HOST_HEADER: HOST}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": OWN}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "https://abc.lambda-url.us-east-1.on.aws"}, 403),
        ({"origin": SHOP}, 200),
        ({}, 200),
        ({HOST_HEADER: None, "origin": "https://abc.lambda-url.us-east-1.on.aws"}, 403),
        ({HOST_HEADER: None, "origin": "null"}, 403),
        ({HOST_HEADER: "", "origin": "https://"}, 403),
    ],
    ids=str,
)
async def test_behind_cloudfront_the_pages_host_is_the_viewers(make, headers, status):
    chat, _ = make(behind_cloudfront=True, allowed_origins=[SHOP])
    answer = await send(chat, "POST", "/chatkit/session", {**BEHIND, **headers})
    assert answer.status == status


@pytest.mark.parametrize(
    ("site", "status"),
    [("same-origin", 200), ("same-site", 403), ("cross-site", 403), ("none", 403), (None, 403)],
)
async def test_before_the_distribution_names_the_host_the_browser_is_believed(make, site, status):
    """A deploy updates the functions some minutes before the last edge has the new function."""
    chat, _ = make(behind_cloudfront=True)
    headers = {**BEHIND, HOST_HEADER: None, "origin": OWN, "sec-fetch-site": site}
    assert (await send(chat, "POST", "/chatkit/session", headers)).status == status


async def test_a_refusal_is_in_the_log_on_one_short_line(make, caplog):
    chat, _ = make()
    origin = "https://evil.example" + "x" * 5000
    with caplog.at_level(logging.WARNING):
        await send(chat, "POST", "/chatkit/log\nforged", {"origin": origin})
    (line,) = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert "'/chatkit/log\\nforged'" in line
    assert "https://evil.example" in line
    assert len(line) < 300
