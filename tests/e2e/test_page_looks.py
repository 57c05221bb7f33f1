"""What the page shows before the first message, and how it looks."""

from html import escape
from urllib.parse import unquote

import pytest
from chat_page import Chat
from phrases import HELLO, QUESTION
from playwright.sync_api import expect

pytestmark = pytest.mark.page


@pytest.fixture
def chat(page, server):
    return Chat(page(), server)


def test_the_start_screen_greets_and_suggests(chat):
    chat.open()
    expect(chat.page.get_by_role("heading", level=1)).to_have_text("Welcome to the test")
    expect(chat.prompts).to_have_text(["Say hello", "Multiply two numbers"], use_inner_text=True)
    chat.prompts.last.click()
    expect(chat.questions).to_contain_text([QUESTION])
    chat.settle()


def test_the_disclaimer_stays_visible(chat):
    chat.open()
    disclaimer = chat.page.get_by_text("These answers are made up.")
    expect(disclaimer).to_be_in_viewport()
    chat.ask(HELLO)
    expect(disclaimer).to_be_in_viewport()


def test_the_header_shows_the_title_and_opens_other_conversations(chat):
    chat.open()
    new = chat.button("New conversation")
    expect(new).to_be_disabled()
    chat.ask(QUESTION)
    expect(chat.page.get_by_role("heading", level=2)).not_to_be_empty()
    named = chat.page.get_by_role("heading", level=2).inner_text()
    chat.button("Conversations").click()
    expect(chat.page.locator(".threads .open").first).to_contain_text(named)
    chat.button("Close").click()
    new.click()
    expect(chat.page.get_by_role("heading", level=2)).to_have_count(0)


def test_header_document_and_tab_have_the_same_name(chat):
    chat.open()
    name = chat.page.title()
    assert name
    expect(chat.page.locator(".brand")).to_have_text(name)
    icon = unquote(chat.page.locator("link[rel=icon]").get_attribute("href"))
    assert f"<title>{escape(name, quote=False)}</title>" in icon


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_and_chat_have_the_same_colours_and_font(page, server, scheme):
    chat = Chat(page(color_scheme=scheme), server).open()
    chat.composer.fill("x")
    accent, background, font = chat.page.evaluate(
        """() => ["accent", "background", "font"].map((name) =>
            getComputedStyle(document.documentElement).getPropertyValue(`--page-${name}`))"""
    )
    tint = chat.page.locator(f"meta[name=theme-color][media*={scheme}]")
    assert tint.get_attribute("content") == background
    expect(chat.page.locator("body")).to_have_css("background-color", rgb(background))
    expect(chat.page.locator("openai-chatkit")).to_have_css("background-color", rgb(background))
    expect(chat.page.locator(".send")).to_have_css("background-color", rgb(accent))
    for text in (chat.composer, chat.page.locator(".brand span")):
        expect(text).to_have_css("font-family", font)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_has_its_colours_before_its_script_runs(page, server, scheme):
    window = page(color_scheme=scheme, java_script_enabled=False)
    window.goto(server)
    tint = window.locator(f"meta[name=theme-color][media*={scheme}]").get_attribute("content")
    expect(window.locator("body")).to_have_css("background-color", rgb(tint))


def rgb(colour):
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


def test_requests_and_dates_use_the_language_of_the_visitor_s_browser(page, server):
    chat = Chat(page(locale="pt-BR"), server).open()
    chat.ask(HELLO)
    (asked,) = chat.operations("threads.create")
    assert asked.all_headers()["accept-language"].startswith("pt-BR")
    chat.button("Conversations").click()
    expect(chat.page.locator(".threads small")).to_have_text("hoje")
