"""The page in a real browser, against the real `make dev`.

The browser is the system's Chromium; where there is none, Playwright's own; and
where that cannot be had either, these tests are skipped by name.
"""

import shutil

import pytest
from playwright.sync_api import Error, sync_playwright

from tests.support.dev import Dev

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def dev():
    """A running `make dev`, with nothing of this machine's settings."""
    with Dev() as running:
        yield running


@pytest.fixture(scope="session")
def server(dev):
    """The base URL that the page is tested at."""
    return dev.url


@pytest.fixture(scope="module")
def browser():
    # A module's, not the session's: while it is open, no event loop can run beside it.
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        try:
            launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        except Error as error:
            pytest.skip(f"no Chromium to be had: {error.message.splitlines()[0]}")
        yield launched
        launched.close()


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
