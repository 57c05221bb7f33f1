"""Tests of the page in a real browser, on the real `make dev` and `make lambda`."""

from pathlib import Path

import pytest
from chat_page import CDN

from tests.support import dev as servers
from tests.support.chromium import chromium

PAGE_ASSISTANT = Path(__file__).with_name("page_assistant.js")


def pytest_generate_tests(metafunc):
    """Run each test at `make dev` and at `make lambda`, and one marked `page` at the latter only.

    A module may have a `server` of its own; it gets the same `request.param`.
    """
    if "server" in metafunc.fixturenames:
        page_only = metafunc.definition.get_closest_marker("page")
        targets = ["lambda"] if page_only else ["dev", "lambda"]
        metafunc.parametrize("server", targets, indirect=True)


@pytest.fixture(scope="session")
def dev(shared):
    """A running `make dev`, without the settings of this machine."""
    return servers.of_the_run(shared, "dev")


@pytest.fixture(scope="session")
def emulated(shared):
    """A running `make lambda`: the built bundles of both functions."""
    return servers.of_the_run(shared, "lambda")


@pytest.fixture
def server(request):
    """The base URL that the page is tested at."""
    return request.getfixturevalue({"dev": "dev", "lambda": "emulated"}[request.param]).url


@pytest.fixture(scope="module")
def browser():
    # For a module, not the session: while it is open, no event loop can run in this thread.
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
