"""`make screenshots`: pictures of the examples that bring something of their own to run.

Run it from the repository's root: `python -m tests.e2e.example_screenshots`.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from screenshots import take, window

from tests.support.chromium import chromium
from tests.support.dev import Dev

SIZE = {"width": 900, "height": 1000}


def graph(chat):
    chat.ask("When are you open, and what does a day cost?")
    chat.page.get_by_text("Looked it up").click()
    chat.ask("Do you rent submarines?")


def shop(chat):
    chat.ask("What tea do you have?")
    chat.ask("Put 2 sencha into my basket.")
    chat.button("Approve").click()
    chat.page.get_by_text("In the basket: 2 x Sencha").first.wait_for()
    chat.settle()
    chat.ask("Order it, please.")
    chat.button("Approve").wait_for()


EXAMPLES = {"graph": graph, "shop": shop}


def main() -> None:
    for name, show in EXAMPLES.items():
        with Dev(CHATKIT_ASSISTANT=f"examples.{name}") as dev, chromium() as browser:
            chat = window(browser, dev.url, "light", SIZE, 1.5)
            show(chat)
            chat.page.locator(".scroller").evaluate("it => it.scrollTo(0, it.scrollHeight)")
            take(chat.page, f"example-{name}")


if __name__ == "__main__":
    main()
