"""The page's tests know every type of the installed ChatKit."""

import json

from tests.support.chatkit_types import FILE, names


def test_the_pages_tests_have_the_types_of_the_installed_chatkit():
    """After an upgrade: `python -m tests.support.chatkit_types`, then `make test-page`."""
    assert json.loads(FILE.read_text()) == names()
