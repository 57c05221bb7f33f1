"""Signed links name the host that the page was asked by, and lead through the app's own port."""

from urllib.parse import urlsplit

import httpx2
import pytest

from functions.aws.clients import client
from functions.settings import Settings
from infra.local.app import create_app
from tests.support.chat import ELSEWHERE, Chat, thread_of
from tests.support.cloud import own_cloud
from tests.support.served import served

TEXT = "\u00e4 note".encode()
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6364f8cf500f00038601805a347d6a0000000049454e44ae426082"
)


@pytest.fixture
def app(monkeypatch):
    own = {
        "CHATKIT_COOKIE_KEY": "k" * 32,
        "CHATKIT_ALLOWED_ORIGINS": ELSEWHERE,
        "CHATKIT_ASSISTANT": "tests.assistants.sample",
    }
    with own_cloud(monkeypatch, **own), served(create_app()) as url:
        yield url


@pytest.fixture
def phone(app):
    """A browser that reached the app as `laptop.test:8000`."""
    chat = Chat(app)
    chat.http.headers["host"] = "laptop.test:8000"
    return chat


def through(app, method, link, **more):
    """Follow a link to `laptop.test:8000`, which is the app."""
    parts = urlsplit(link)
    assert (parts.scheme, parts.netloc) == ("http", "laptop.test:8000")
    url = f"{app}{parts.path}?{parts.query}"
    headers = {"host": parts.netloc, **more.pop("headers", {})}
    return httpx2.request(method, url, headers=headers, **more)


def test_a_file_goes_up_and_comes_down_by_the_host_that_the_page_was_asked_by(app, phone):
    file = {"name": "dot.png", "size": len(PNG), "mime_type": "image/png"}
    announced = phone.read("attachments.create", **file)
    put = announced["upload_descriptor"]
    done = through(app, put["method"], put["url"], content=PNG, headers=put["headers"])
    assert done.status_code == 200
    again = through(app, put["method"], put["url"], content=PNG, headers=put["headers"])
    assert again.status_code == 412
    thread = thread_of(phone.create("Look", attachments=[announced["id"]]))
    (shown,) = phone.items(thread)[0]["attachments"]
    found = through(app, "GET", shown["preview_url"])
    assert (found.status_code, found.content) == (200, PNG)
    assert found.headers["content-type"] == "image/png"


def test_a_link_of_another_request_names_its_own_host(app, phone):
    file = {"name": "a.txt", "size": len(TEXT), "mime_type": "text/plain"}
    assert "laptop.test" in phone.read("attachments.create", **file)["upload_descriptor"]["url"]
    other = Chat(app).read("attachments.create", **file)["upload_descriptor"]["url"]
    assert other.startswith(f"{app}/")


def test_a_missing_object_is_said_as_the_store_of_files_says_it(app):
    bucket = Settings(_env_file=None).attachments_bucket
    params = {"Bucket": bucket, "Key": "files/nothing"}
    link = urlsplit(client("s3").generate_presigned_url("get_object", Params=params))
    assert httpx2.get(f"{app}{link.path}?{link.query}").status_code == 404


@pytest.mark.parametrize("origin", ["https://other.example", "null", "http://laptop.test:9000"])
def test_a_page_of_another_origin_may_not_use_a_link(app, phone, origin):
    file = {"name": "a.txt", "size": len(TEXT), "mime_type": "text/plain"}
    put = phone.read("attachments.create", **file)["upload_descriptor"]
    headers = {**put["headers"], "origin": origin}
    assert through(app, "PUT", put["url"], content=TEXT, headers=headers).status_code == 403
    own = {**put["headers"], "origin": "http://laptop.test:8000"}
    assert through(app, "PUT", put["url"], content=TEXT, headers=own).status_code == 200


def test_a_page_of_a_configured_origin_may_use_a_link_and_read_the_answer(app, phone):
    file = {"name": "a.txt", "size": len(TEXT), "mime_type": "text/plain"}
    put = phone.read("attachments.create", **file)["upload_descriptor"]
    names = "content-type, if-none-match"
    asked = {"access-control-request-method": "PUT", "access-control-request-headers": names}
    allowed = through(app, "OPTIONS", put["url"], headers={**asked, "origin": ELSEWHERE})
    assert allowed.headers["access-control-allow-origin"] == ELSEWHERE
    assert allowed.headers["access-control-allow-headers"] == names
    headers = {**put["headers"], "origin": ELSEWHERE}
    done = through(app, "PUT", put["url"], content=TEXT, headers=headers)
    again = through(app, "PUT", put["url"], content=TEXT, headers=headers)
    assert (done.status_code, again.status_code) == (200, 412)
    for answer in (done, again):
        assert answer.headers["access-control-allow-origin"] == ELSEWHERE
