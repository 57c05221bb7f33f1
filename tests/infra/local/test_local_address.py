"""The addresses that `make dev` prints can be opened."""

import pytest

from infra.local.address import url_of


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("::", "http://[::1]:8000"),
        ("laptop.local", "http://laptop.local:8000"),
    ],
)
def test_a_host_to_listen_on_becomes_a_url_that_can_be_opened(host, url):
    assert url_of(host, "8000") == url
