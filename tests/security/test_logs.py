"""Every log line of the test run is searched; here are lines that the search must find."""

import logging

import pytest

from functions.web.identity.anonymous import COOKIE, new_user
from tests.support.issuer import Issuer
from tests.support.log_watch import WATCH, found_in


def failing():
    raise ValueError("secret0123456789abcdef")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a token of an issuer", Issuer().token()),
        ("a token of ours", new_user(["x" * 32], COOKIE).token),
        ("an authorization header", "authorization: bearer abcdefgh"),
        ("a signed link", "http://127.0.0.1:1/b/k?X-Amz-Credential=a&X-Amz-Signature=b"),
        ("a signing key", "k" * 32),
        ("what somebody wrote", "the title is secret0123456789abcdef."),
    ],
)
def test_the_search_finds(name, text):
    assert name in found_in(f"refused {text}")
    logging.getLogger("functions.test").warning("refused %s", text)
    assert any(name in line for line in WATCH.take())


def test_an_exception_whose_message_is_not_logged_is_fine():
    try:
        failing()
    except ValueError:
        logging.getLogger("functions.test").exception("it failed")
    assert WATCH.take() == []


@pytest.mark.parametrize("text", ["answered: {'input_tokens': 3}", "functions.chat.app.create_app"])
def test_ordinary_lines_are_fine(text):
    assert found_in(text) == []
