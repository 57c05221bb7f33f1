"""The starter answers from documents that were put in, and a citation opens its passage."""

import re

import httpx2
from chat_page import Chat, complaints
from playwright.sync_api import expect

from tests.support.dev import STARTER, Dev


def test_the_starter_answers_from_its_docs_and_a_click_opens_the_passage(page):
    with Dev(**STARTER) as dev:
        dev.wait_until(lambda: "docs/ is indexed" in dev.output())
        chat = Chat(page(reduced_motion="reduce"), dev.url).open()
        chat.ask("How do I deploy this?")
        sources = chat.answers.last.get_by_role("list", name="Sources").get_by_role("button")
        sources.first.click()
        dialog = chat.page.get_by_role("dialog")
        expect(dialog.locator("mark")).to_contain_text(re.compile("deploy", re.IGNORECASE))
        expect(dialog).to_contain_text("docs/deploy.md")
        assert complaints(chat) == []
        link = dialog.get_by_role("link").get_attribute("href")
        assert httpx2.get(link).text.startswith("# Deploy")
        chat.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(sources.first).to_be_focused()
        assert "Passage" in chat.scripts
