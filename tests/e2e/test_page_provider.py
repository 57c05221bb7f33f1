"""The page with a real provider: which model is asked, and links in its answers."""

import pytest
from chat_page import Chat
from phrases import HELLO
from playwright.sync_api import expect

from tests.support.dev import Dev
from tests.support.openai_server import OpenAIServer, Say
from tests.support.served import served


@pytest.fixture(scope="module")
def provider():
    return OpenAIServer()


@pytest.fixture(scope="module")
def server(request, provider):
    with (
        served(provider.app) as url,
        Dev(
            request.param,
            OPENAI_BASE_URL=f"{url}/v1",
            CHATKIT_MODEL="quick",
            CHATKIT_MODELS="quick,thorough,one-with-a-name-as-long-as-providers-like-them",
            CHATKIT_TRANSCRIPTION_BASE_URL=f"{url}/v1",
        ) as running,
    ):
        yield running.url


@pytest.fixture
def chat(page, server, provider):
    provider.requests.clear()
    provider.script = [Say("Here you are.")]
    return Chat(page(), server).open()


def asked(provider):
    """The models that were asked for an answer. Requests for a title have no tools."""
    return [request["model"] for request in provider.requests if request.get("tools")]


def picker(chat):
    return chat.page.locator("summary", has_text="Model:")


def choose(chat, name):
    picker(chat).click()
    chat.page.locator(".menu-entry", has_text=name).click()


@pytest.mark.page
def test_the_model_that_the_visitor_picks_answers(chat, provider):
    expect(picker(chat)).to_contain_text("quick")
    chat.ask(HELLO)
    choose(chat, "thorough")
    expect(picker(chat)).to_contain_text("thorough")
    chat.ask("Think it over")
    expect(chat.answers.last).to_contain_text("Here you are.")
    chat.new_conversation()
    choose(chat, "quick")
    chat.ask("Hello again")
    assert asked(provider) == ["quick", "thorough", "quick"]


@pytest.mark.page
def test_the_model_picker_works_with_the_keyboard_and_shows_the_choice(chat):
    picker(chat).focus()
    chat.page.keyboard.press("Enter")
    chosen = chat.page.locator(".menu-entry[aria-pressed='true']")
    expect(chosen).to_contain_text("quick")
    chat.page.keyboard.press("Escape")
    expect(chosen).not_to_be_visible()


@pytest.mark.page
def test_everything_in_the_composer_fits_on_a_phone(page, server):
    chat = Chat(page(viewport={"width": 360, "height": 640}), server).open()

    def inside(locator):
        box = locator.bounding_box()
        return box["x"] >= 0 and box["x"] + box["width"] <= 360 and box["y"] >= 0

    picker(chat).click()
    menu = chat.page.locator("details[open] .menu")
    assert inside(menu)
    menu.get_by_text("as-long-as").click()
    chat.page.locator("summary", has_text="Tools").click()
    assert inside(menu)
    menu.get_by_text("A tool with a name as long as this").click()
    box = chat.page.locator(".composer-box").bounding_box()
    for part in chat.page.locator(".composer-bar > :not(.gap)").all():
        place = part.bounding_box()
        assert place["width"] >= 36
        assert place["x"] >= box["x"]
        assert place["x"] + place["width"] <= box["x"] + box["width"]
    # In a short window the greeting comes first.
    assert inside(chat.page.get_by_role("heading", level=1))
    greeting = chat.page.get_by_role("heading", level=1).bounding_box()["y"]
    header = chat.page.locator(".chat > .header").bounding_box()
    assert greeting >= header["y"] + header["height"]


@pytest.mark.page
def test_the_page_handles_a_deeplink_in_an_answer(chat, provider):
    provider.script = [
        Say("Shall I [plan the week](chatkit-link://compose?text=Plan%20my%20week)?")
    ]
    chat.ask("What next?")
    before = chat.page.url
    chat.answers.last.get_by_role("link", name="plan the week").click()
    expect(chat.composer).to_have_value("Plan my week")
    assert chat.page.url == before
    # An unknown deeplink does nothing.
    provider.script = [Say("Or [elsewhere](chatkit-link://nowhere?a=1).")]
    chat.ask("And then?")
    chat.answers.last.get_by_role("link", name="elsewhere").click()
    assert chat.page.url == before


def test_with_one_model_there_is_no_picker(page, dev):
    chat = Chat(page(), dev.url).open()
    expect(picker(chat)).to_have_count(0)
