"""`make screenshots`: takes the pictures for README and docs from a real run.

Run it from the repository's root: `python -m tests.e2e.screenshots`.
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, expect

sys.path.insert(0, str(Path(__file__).parent))

from chat_page import Chat
from sign_in import GRACE, choose

from tests.support.chromium import chromium
from tests.support.dev import ROOT, STARTER, Dev
from tests.support.oidc_provider import free_port_for_both

IMAGES = ROOT / "docs" / "images"
DESKTOP = {"width": 1280, "height": 800}
TALL = {"width": 900, "height": 1240}
PHONE = {"width": 390, "height": 780}


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with Dev(**STARTER) as dev, chromium() as browser:
        for scheme in ("light", "dark"):
            visit(browser, dev.url, scheme)
        phone(browser, dev.url)
    admin()
    examples()


def admin() -> None:
    """The page /admin, of what made-up people have asked."""
    port = free_port_for_both()
    with TemporaryDirectory() as folder:
        dev = Dev(folder=folder, port=port, SIGN_IN="demo", **STARTER)
        with dev, chromium() as browser:
            here = {"PORT": str(port), "CHATKIT_LOCAL_DIR": folder}
            seed = [sys.executable, "-m", "infra.cli.command", "seed"]
            subprocess.run(seed, env={**os.environ, **here}, cwd=ROOT, check=True)
            for scheme in ("light", "dark"):
                report(browser, dev.url, scheme)


def report(browser: Browser, url: str, scheme: str) -> None:
    context = browser.new_context(
        viewport=DESKTOP, color_scheme=scheme, device_scale_factor=1.5, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(f"{url}/admin")
    page.get_by_role("button", name="Sign in").click()
    choose(page, GRACE)
    page.get_by_role("region", name="Messages", exact=True).wait_for()
    take(page, f"admin-{scheme}")
    context.close()


def examples() -> None:
    for show in (support, analyst, graph, shop):
        name = show.__name__
        with Dev(CHATKIT_ASSISTANT=f"examples.{name}") as dev, chromium() as browser:
            chat = window(browser, dev.url, "light", TALL, 1.5)
            show(chat)
            chat.page.locator(".scroller").evaluate("it => it.scrollTo(0, it.scrollHeight)")
            take(chat.page, f"example-{name}")


def window(browser: Browser, url: str, scheme: str, viewport: dict[str, int], scale: float) -> Chat:
    context = browser.new_context(
        viewport=viewport, color_scheme=scheme, device_scale_factor=scale, reduced_motion="reduce"
    )
    chat = Chat(context.new_page(), url).open()
    chat.banner("stand-in").get_by_role("button").click()
    return chat


def take(page: Page, name: str) -> None:
    page.mouse.move(0, 0)
    page.evaluate("document.fonts.ready")
    page.screenshot(path=IMAGES / f"{name}.png")
    print(f"docs/images/{name}.png")


def visit(browser: Browser, url: str, scheme: str) -> None:
    chat = window(browser, url, scheme, DESKTOP, 1.5)
    take(chat.page, f"start-{scheme}")
    chat.ask("What time is it in Tokyo?")
    chat.ask("Show me my checklist")
    chat.widgets.last.get_by_label("Say hello").click()
    expect(chat.widgets.last).to_contain_text("2 to do")
    chat.composer.focus()
    take(chat.page, f"conversation-{scheme}")
    chat.ask("I want to add a contact")
    take(chat.page, f"form-{scheme}")
    for question in ("What is 12.5 * (3 + 4)?", "Give me a choice", "Write a note about rivers"):
        chat.new_conversation()
        chat.ask(question)
    chat.button("Conversations").click()
    chat.page.locator(".threads .open").nth(3).wait_for()
    expect(chat.page.locator(".toast")).to_have_count(0)
    take(chat.page, f"history-{scheme}")
    chat.page.context.close()


def phone(browser: Browser, url: str) -> None:
    chat = window(browser, url, "light", PHONE, 2)
    take(chat.page, "phone-start")
    chat.ask("Show me my checklist")
    take(chat.page, "phone-conversation")
    chat.ask("Give me a choice")
    take(chat.page, "phone-choice")
    chat.page.context.close()


def support(chat: Chat) -> None:
    chat.ask("Where is my order A-1042? My e-mail is ada@example.com.")
    chat.ask("I want to return the kettle.")
    form = chat.widgets.last
    form.get_by_label("What do you return?").select_option("KETTLE-1")
    form.get_by_label("I changed my mind").check()
    form.get_by_role("button").click()
    expect(chat.widgets.last).to_contain_text("Return registered")
    chat.ask("I want my money back.")
    chat.button("Approve").wait_for()


def analyst(chat: Chat) -> None:
    chat.ask("Compare revenue by city.")
    chat.ask("Draw revenue by product.")
    image = chat.page.locator("[data-item=generated_image] img")
    image.wait_for()
    image.evaluate("it => it.decode()")


def graph(chat: Chat) -> None:
    chat.ask("When are you open, and what does a day cost?")
    chat.page.get_by_text("Looked it up").click()
    chat.ask("Do you rent submarines?")


def shop(chat: Chat) -> None:
    chat.ask("What tea do you have?")
    chat.ask("Put 2 sencha into my basket.")
    chat.button("Approve").click()
    chat.page.get_by_text("In the basket: 2 x Sencha").first.wait_for()
    chat.settle()
    chat.ask("Order it, please.")
    chat.button("Approve").wait_for()


if __name__ == "__main__":
    main()
