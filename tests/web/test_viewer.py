"""What is known of the viewer is what CloudFront says, and only where CloudFront is in front."""

import pytest
from starlette.requests import Request

from functions.settings import Settings
from functions.web.viewer import HOST_HEADER, IP_HEADER, page_origin, viewer_ip

BEHIND = Settings(_env_file=None, behind_cloudfront=True)
ALONE = Settings(_env_file=None)


def request(**headers):
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request(
        {
            "type": "http",
            "scheme": "https",
            "path": "/",
            "headers": raw,
            "client": ("198.51.100.1", 1),
        }
    )


SPOOFED = {
    "x_forwarded_for": "192.0.2.9",
    "x_real_ip": "192.0.2.9",
    "forwarded": "for=192.0.2.9",
    "cloudfront_viewer_address": "192.0.2.9:1",
}


@pytest.mark.parametrize("address", ["203.0.113.7", "2001:db8::7"])
def test_the_viewers_address_is_the_one_that_cloudfront_wrote(address):
    given = request(**{IP_HEADER: address}, **SPOOFED)
    assert viewer_ip(given, BEHIND) == address


def test_no_other_header_tells_the_viewers_address():
    assert viewer_ip(request(**SPOOFED), BEHIND) is None


def test_without_cloudfront_nobody_is_believed():
    given = request(host="localhost:8000", **{IP_HEADER: "192.0.2.9", HOST_HEADER: "evil.example"})
    assert viewer_ip(given, ALONE) is None
    assert page_origin(given, ALONE) == "https://localhost:8000"


def test_behind_cloudfront_host_is_not_the_pages():
    given = request(host="abc.lambda-url.us-east-1.on.aws")
    assert page_origin(given, BEHIND) is None


def test_the_setting_is_off_by_default():
    assert ALONE.behind_cloudfront is False
