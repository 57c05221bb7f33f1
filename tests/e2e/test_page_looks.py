"""What is to be seen before anything is said, and what it looks like."""

import re
from pathlib import Path

import pytest
from chat_page import Chat
from playwright.sync_api import expect

THEME = Path(__file__).parents[2] / "frontend" / "src" / "chatkit" / "theme.ts"

pytestmark = pytest.mark.page


@pytest.fixture
def chat(page, server):
    return Chat(page(), server)


def test_the_start_screen_greets_and_suggests(chat):
    chat.open()
    expect(chat.page.get_by_role("heading", level=1)).to_have_text("What shall we work on?")
    prompts = chat.page.locator(".prompt")
    expect(prompts).to_have_count(4)
    prompts.filter(has_text="Tokyo").click()
    expect(chat.questions).to_contain_text(["What time is it in Tokyo?"])
    chat.settle()


def test_the_disclaimer_stays_in_sight(chat):
    chat.open()
    disclaimer = chat.page.get_by_text("Answers can be wrong. Check what matters.")
    expect(disclaimer).to_be_in_viewport()
    chat.ask("Hello")
    expect(disclaimer).to_be_in_viewport()


def test_the_header_names_the_conversation_and_leads_to_others(chat):
    chat.open()
    new = chat.button("New conversation")
    expect(new).to_be_disabled()
    chat.ask("What is 7 * 6?")
    expect(chat.page.get_by_role("heading", level=2)).not_to_be_empty()
    named = chat.page.get_by_role("heading", level=2).inner_text()
    chat.button("Conversations").click()
    expect(chat.page.locator(".threads .open").first).to_contain_text(named)
    chat.button("Close").click()
    new.click()
    expect(chat.page.get_by_role("heading", level=2)).to_have_count(0)


@pytest.mark.parametrize(("scheme", "nth"), [("light", 0), ("dark", 1)])
def test_page_and_chat_wear_the_one_theme_file(page, server, scheme, nth):
    text = THEME.read_text()
    accents = re.search(r'accent: \{ light: "(#\w+)", dark: "(#\w+)" \}', text)
    surfaces = re.findall(r'background: "(#\w+)"', text)
    chat = Chat(page(color_scheme=scheme), server).open()
    chat.composer.fill("x")

    def colour(locator, name):
        return locator.evaluate("(it, name) => getComputedStyle(it)[name]", name)

    send = chat.page.locator(".send")
    mark = chat.page.locator(".brand rect")
    expect(send).to_have_css("background-color", rgb(accents[nth + 1]))
    assert colour(mark, "fill") == rgb(accents[nth + 1])
    assert colour(chat.page.locator("body"), "backgroundColor") == rgb(surfaces[nth])
    element = chat.page.locator("openai-chatkit")
    assert element.evaluate("it => it.style.getPropertyValue('--background')") == surfaces[nth]
    assert element.evaluate("it => getComputedStyle(it).fontSize") == f"{said(text, 'baseSize')}px"
    corners = {"pill": "22px", "round": "14px", "soft": "8px", "sharp": "2px"}
    spaces = {"compact": "0.8", "normal": "1", "spacious": "1.25"}
    for name, known in (("radius", corners), ("density", spaces)):
        worn = element.evaluate("(it, name) => it.style.getPropertyValue(name)", f"--{name}")
        assert worn == known[said(text, name)]
    for font in (chat.composer, chat.page.locator(".brand span")):
        assert "ui-sans-serif" in colour(font, "fontFamily")


def said(text, name):
    return re.search(rf"^  {name}: \"?(\w+)\"?,$", text, re.MULTILINE)[1]


def rgb(colour):
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


def test_the_language_is_the_one_of_the_visitor_s_browser(page, server):
    chat = Chat(page(locale="pt-BR"), server).open()
    chat.ask("Hello")
    (asked,) = chat.operations("threads.create")
    assert asked.all_headers()["accept-language"].startswith("pt-BR")
    chat.button("Conversations").click()
    expect(chat.page.locator(".threads small")).to_have_text("hoje")
