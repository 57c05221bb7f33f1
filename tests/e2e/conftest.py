"""The page in a real browser, against the real `make dev` and the real `make lambda`."""

import pytest
from chat_page import CDN

from tests.support.chromium import chromium
from tests.support.dev import Dev


@pytest.fixture(scope="session")
def dev():
    """A running `make dev`, with nothing of this machine's settings."""
    with Dev() as running:
        yield running


@pytest.fixture(scope="session")
def emulated():
    """A running `make lambda`: the built bundles of both functions."""
    with Dev("lambda") as running:
        yield running


@pytest.fixture(params=["dev", "emulated"])
def server(request):
    """The base URL that the page is tested at: every test runs at both."""
    return request.getfixturevalue(request.param).url


@pytest.fixture(scope="module")
def browser():
    # A module's, not the session's: while it is open, no event loop can run beside it.
    with chromium() as launched:
        yield launched


@pytest.fixture
def tolerated():
    """Parts of what a browser may complain of in this test; a test that lets something fail
    adds to it.
    """
    return []


@pytest.fixture
def page(browser, tolerated):
    """`page()` is a window of somebody new; keywords go to the browser's context.

    No test may end with a complaint in a window's console.
    """
    contexts = []
    complaints = []

    def hear(message):
        # That the CDN is out of reach is no fault of the page: it goes on without.
        if message.type == "error" and not CDN.match(message.location.get("url", "")):
            complaints.append(message.text)

    def open_page(**options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **options})
        context.on("console", hear)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
    assert [one for one in complaints if not any(part in one for part in tolerated)] == []
