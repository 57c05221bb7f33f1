"""The page in a real browser, against the real `make dev` and the real `make lambda`."""

import pytest

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
def page(browser):
    """`page()` is a window of somebody new; keywords go to the browser's context."""
    contexts = []

    def open_page(**options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **options})
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
