"""What each address returns: the same on `make dev` and behind the emulated CloudFront."""

import httpx2
import pytest


@pytest.mark.parametrize(
    "path", ["/", "/some/deep/link", "/index.html", "/?thread=thr_1", "/assets"]
)
def test_an_address_without_a_file_extension_returns_the_page(server, path):
    answer = httpx2.get(server + path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert '<div id="root">' in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/assets/nope.js",
        "/nope.svg",
        "/deep/nope.html",
        "/assets/..js",
        "/%00.js",
        f"/{'n' * 300}.js",
    ],
)
def test_a_missing_file_is_a_404(server, path):
    answer = httpx2.get(server + path)
    assert answer.status_code == 404
    assert "<html" not in answer.text


def test_files_outside_the_page_are_not_served(server):
    with httpx2.Client() as client:
        for path in (
            "/..%2Fpackage.json",
            "/%2e%2e/package.json",
            "/assets/..%2f..%2fpackage.json",
        ):
            answer = client.send(httpx2.Request("GET", httpx2.URL(server, raw_path=path.encode())))
            assert "devDependencies" not in answer.text


@pytest.mark.parametrize("path", ["/chatkitty", "/chatkit/nope", "/actionsnope", "/actions/nope"])
def test_an_unknown_address_that_begins_like_the_api_is_a_404_of_the_api(server, path):
    # CloudFront's patterns are `/chatkit*` and `/actions*`, without a slash before the star.
    answer = httpx2.get(server + path)
    assert answer.status_code == 404
    assert set(answer.json()) == {"message"}
