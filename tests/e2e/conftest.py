"""Tests of the page in a real browser, on the real `make dev` and `make lambda`."""

from pathlib import Path

import pytest
from chat_page import CDN

from tests.support.chromium import chromium
from tests.support.dev import Dev

PAGE_ASSISTANT = Path(__file__).with_name("page_assistant.js")


@pytest.fixture(scope="session")
def dev():
    """A running `make dev`, without the settings of this machine."""
    with Dev() as running:
        yield running


@pytest.fixture(scope="session")
def emulated():
    """A running `make lambda`, with the built bundles of both functions."""
    with Dev("lambda") as running:
        yield running


@pytest.fixture(params=["dev", "emulated"])
def server(request):
    """The base URL of the page. Every test runs with both servers."""
    return request.getfixturevalue(request.param).url


@pytest.fixture(scope="module")
def browser():
    # One for each module: while a browser is open, no other event loop can run.
    with chromium() as launched:
        yield launched


@pytest.fixture
def tolerated():
    """Parts of error messages that the browser's console may have. A test adds to it."""
    return []


@pytest.fixture
def page(browser, tolerated):
    """`page()` opens a window of a new visitor; keywords go to the browser's context.

    The page's half of the assistant is the one of these tests, `page_assistant.js`.
    A test fails when the browser's console has an error at its end.
    """
    contexts = []
    complaints = []

    def collect(message):
        # The page works without the CDN, so a failed request to it is no error.
        if message.type == "error" and not CDN.match(message.location.get("url", "")):
            complaints.append(message.text)

    def open_page(**options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **options})
        context.on("console", collect)
        context.route("**/assets/assistant-*.js", lambda route: route.fulfill(path=PAGE_ASSISTANT))
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
    assert [one for one in complaints if not any(part in one for part in tolerated)] == []
