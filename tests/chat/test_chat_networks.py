"""The limits of a network: a /24 or a /64, from an address that nobody can write."""

import json

import pytest

from tests.support.chat import Chat
from tests.support.limited import rows, says


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("203.0.113.200", True),
        ("203.0.112.1", False),
        ("::ffff:203.0.113.9", True),
        ("2001:db8::1", False),
        ("not an address", False),
    ],
)
def test_people_of_one_network_share_its_limits(limited, address, same):
    url = limited({"network": {"messages_per_day": 1}}, behind_cloudfront=True)
    first, second = Chat(url), Chat(url)
    first.http.headers["x-chatkit-viewer-ip"] = "203.0.113.1"
    second.http.headers["x-chatkit-viewer-ip"] = address
    assert says(first).status_code == 200
    assert says(second).status_code == (429 if same else 200)


def test_an_ipv6_network_is_the_first_64_bits(limited):
    url = limited({"network": {"messages_per_day": 1}}, behind_cloudfront=True)
    statuses = []
    for address in ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1"):
        chat = Chat(url)
        chat.http.headers["x-chatkit-viewer-ip"] = address
        statuses.append(says(chat).status_code)
    assert statuses == [200, 429, 200]


def test_an_address_that_anybody_can_write_is_not_believed_and_none_is_stored(limited):
    url = limited({"network": {"messages_per_day": 1}})
    for _ in range(2):
        chat = Chat(url)
        chat.http.headers["x-chatkit-viewer-ip"] = "203.0.113.1"
        chat.http.headers["x-forwarded-for"] = "203.0.113.1"
        assert says(chat).status_code == 200
    behind = Chat(limited({"network": {"messages_per_day": 9}}, behind_cloudfront=True))
    behind.http.headers["x-chatkit-viewer-ip"] = "203.0.113.1"
    says(behind)
    assert "203.0.113" not in json.dumps(rows())
