"""The page in a real browser, against the real `make dev`.

The browser is the system's Chromium; where there is none, Playwright's own; and
where that cannot be had either, these tests are skipped by name.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Error, sync_playwright

ROOT = Path(__file__).resolve().parents[2]

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
READY_WITHIN = 120.0


@pytest.fixture(scope="session")
def dev():
    """A running `make dev` on a free port, with nothing of this machine's settings."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    hidden = ("OPENAI_", "GEMINI_", "CHATKIT_", "AWS_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    process = subprocess.Popen(
        ["make", "dev"],
        cwd=ROOT,
        env={**environment, "HOST": "127.0.0.1", "PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(process, url)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
        process.wait(timeout=30)


def _wait_until_ready(process, url):
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stdout.read()
        try:
            if httpx2.get(f"{url}/chatkit/health", timeout=2).status_code == 200:
                return
        except httpx2.HTTPError:
            time.sleep(0.1)
    raise AssertionError("make dev was not ready in time")


@pytest.fixture(scope="session")
def server(dev):
    """The base URL that the page is tested at."""
    return dev


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
