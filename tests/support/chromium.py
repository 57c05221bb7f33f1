"""Debian's Chromium, or Playwright's own; where neither can be had, the reason for a skip."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Error, sync_playwright

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
    """A browser for as long as the block lasts. While it is open, no event loop runs beside it."""
    with sync_playwright() as playwright:
        system = shutil.which("chromium") or shutil.which("chromium-browser")
        try:
            browser = playwright.chromium.launch(executable_path=system, args=[*FLAGS, *flags])
        except Error as error:
            pytest.skip(f"no Chromium to be had: {error.message.splitlines()[0]}")
        yield browser
        browser.close()
