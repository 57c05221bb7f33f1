"""Starts the system's Chromium, or Playwright's own. Where there is neither, tests are skipped.

The headless shell comes first: the same engine without the windows, the tabs and the extensions of
the whole browser. It opens a page with a third of the processor's time.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium(*flags: str) -> Iterator[Browser]:
    """A browser that runs as long as the block. Meanwhile no event loop can run in this thread."""
    with sync_playwright() as playwright:
        system = next(filter(None, map(shutil.which, NAMES)), None)
        if system is None and not Path(playwright.chromium.executable_path).exists():
            pytest.skip("no Chromium here")
        browser = playwright.chromium.launch(executable_path=system, args=[*FLAGS, *flags])
        yield browser
        browser.close()
