"""Accessibility, screen sizes, layout shifts and size of the page."""

import gzip
import re
from pathlib import Path

import pytest
from chat_page import Chat, complaints
from phrases import ANSWER, CARD, FORM, HELLO, INTERVIEW, QUESTION, STORY
from playwright.sync_api import expect

FRONTEND = Path(__file__).parents[2] / "frontend"
BUNDLE_LIMIT = 120 * 1024
RARE_LIMIT = 5 * 1024
ISSUER_LIMIT = 12 * 1024
CHALLENGE_LIMIT = 2 * 1024
FOOT_LIMIT = 1792
YOUR_DATA_LIMIT = 2 * 1024
PASSAGE_LIMIT = 2 * 1024
ADMIN_LIMIT = 8 * 1024

pytestmark = pytest.mark.page


@pytest.fixture
def chat(page, server):
    return Chat(page(), server)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_screen(page, server, scheme):
    chat = Chat(page(color_scheme=scheme, reduced_motion="reduce"), server).open()
    assert complaints(chat) == []
    for request in (HELLO, CARD, FORM, INTERVIEW):
        chat.ask(request)
    assert complaints(chat) == []
    chat.page.locator("summary", has_text="Tools").click()
    chat.page.get_by_role("button", name="Sums").wait_for()
    assert complaints(chat) == []
    chat.page.get_by_role("button", name="Sums").click()
    assert complaints(chat) == []
    chat.button("Conversations").click()
    row = chat.page.locator(".threads li").first
    row.wait_for()
    assert complaints(chat) == []
    row.get_by_role("button", name="Rename").click()
    chat.page.get_by_label("New title").wait_for()
    assert complaints(chat) == []
    chat.page.keyboard.press("Escape")
    row.get_by_role("button", name="Delete").click()
    chat.page.get_by_role("alertdialog").wait_for()
    assert complaints(chat) == []
    chat.button("Keep").click()
    chat.button("Close").click()
    for sign in "@/":
        chat.composer.fill("")
        chat.composer.press_sequentially(sign)
        chat.page.get_by_role("option").first.wait_for()
        assert complaints(chat) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_when_something_failed(page, server, scheme, tolerated):
    tolerated.append("Failed to load resource")
    chat = Chat(page(color_scheme=scheme, reduced_motion="reduce"), server).open()
    chat.page.route(f"{server}/chatkit", lambda route: route.fulfill(status=401, json={}))
    chat.send(HELLO)
    chat.banner("session").wait_for()
    chat.page.context.set_offline(True)
    chat.banner("offline").wait_for()
    assert complaints(chat) == []
    chat.page.context.set_offline(False)
    chat.page.route(f"{server}/chatkit/session", lambda route: route.abort())
    chat.page.reload()
    chat.failure.wait_for()
    assert complaints(chat) == []


def test_everything_can_be_done_with_the_keyboard(chat):
    chat.open()
    reached = []
    for _ in range(12):
        chat.page.keyboard.press("Tab")
        reached.append(
            chat.page.evaluate(
                """() => {
                    let at = document.activeElement;
                    while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
                    return (at.getAttribute("aria-label") ?? at.textContent).trim();
                }"""
            )
        )
    for name in ("Conversations", "Say hello", "Write to the test"):
        assert name in reached
    chat.composer.focus()
    chat.page.keyboard.type(QUESTION)
    chat.page.keyboard.press("Enter")
    expect(chat.answers.last).to_contain_text(ANSWER)

    chat.button("Conversations").focus()
    chat.page.keyboard.press("Enter")
    dialog = chat.page.get_by_role("dialog", name="Conversations")
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    dialog.locator(".open").first.wait_for()
    chat.page.keyboard.press("Tab")
    expect(dialog.locator(".open").first).to_be_focused()
    chat.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(chat.button("Conversations")).to_be_focused()


def test_a_screen_reader_gets_a_notice_and_then_the_answer_once(chat):
    chat.open()
    status = chat.page.locator("openai-chatkit .unseen[role='status']")
    announced = chat.collect(".unseen[role='status']")
    chat.ask(QUESTION)
    expect(status).to_contain_text(ANSWER)
    first, *rest = [words for words in announced() if words]
    assert first == "The assistant is answering."
    assert len([words for words in rest if ANSWER in words]) == 1


@pytest.mark.parametrize(("width", "height"), [(360, 640), (768, 1024), (3840, 2160)])
def test_the_page_fits_every_width(page, server, width, height):
    viewport = {"width": width, "height": height}
    chat = Chat(page(viewport=viewport), server).open()
    for request in (HELLO, CARD, FORM):
        chat.ask(request)
    overrun = chat.page.evaluate(
        """() => {
            const root = document.querySelector("openai-chatkit").shadowRoot;
            const wide = [...root.querySelectorAll("*"), ...document.querySelectorAll("*")]
                .filter((one) => !one.closest(".unseen, .table, pre"))
                .filter((one) => one.getBoundingClientRect().right > innerWidth + 1);
            return wide.map((one) => one.outerHTML.slice(0, 80));
        }"""
    )
    assert overrun == []
    column = chat.page.locator(".thread").bounding_box()
    assert column["width"] <= 46 * 16
    assert column["width"] >= min(width, 46 * 16) - 20
    send = chat.page.locator(".send").bounding_box()
    assert send["y"] + send["height"] <= height


SHIFT = """window.shift = 0;
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""

LATE = """setTimeout(() => customElements.define("openai-chatkit", class extends HTMLElement {
    setOptions() { this.innerHTML = "<p style='height: 100%'>A frame of OpenAI's</p>"; }
    async fetchUpdates() {}
}), 300)"""


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("script", [None, LATE], ids=["stand-in", "chatkit.js"])
def test_nothing_jumps_when_the_element_arrives(page, server, width, script):
    chat = Chat(page(viewport={"width": width, "height": 740}), server)
    chat.script(script)
    chat.page.add_init_script(SHIFT)
    chat.page.goto(server)
    shown = chat.prompts.first if script is None else chat.page.get_by_text("frame")
    shown.wait_for()
    # After two frames all layout shifts are counted.
    chat.page.evaluate(
        "new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"
    )
    assert chat.page.evaluate("shift") < 0.01


def test_reduced_motion_stops_animations(page, server):
    chat = Chat(page(reduced_motion="reduce"), server).open()
    chat.ask(HELLO)
    chat.send(STORY)
    chat.stop.wait_for()
    running = chat.page.evaluate(
        """() => document.querySelector("openai-chatkit").shadowRoot.getAnimations()
            .filter((one) => one.effect.getComputedTiming().activeDuration > 1).length"""
    )
    assert running == 0
    chat.stop.click()
    chat.settle()


def test_the_look_is_light_dark_or_as_the_system(page, server):
    chat = Chat(page(color_scheme="dark"), server).open()
    html = chat.page.locator("html")
    element = chat.page.locator("openai-chatkit")
    look = chat.page.locator("header .look")
    expect(html).to_have_attribute("data-scheme", "dark")
    look.click()
    expect(html).to_have_attribute("data-scheme", "light")
    expect(element).to_have_attribute("data-scheme", "light")
    chat.page.reload()
    expect(html).to_have_attribute("data-scheme", "light")
    look.click()
    look.click()
    expect(html).to_have_attribute("data-scheme", "dark")
    chat.page.emulate_media(color_scheme="light")
    expect(html).to_have_attribute("data-scheme", "light")


@pytest.mark.parametrize(
    ("error", "words"),
    [("NotAllowedError", "blocked for this site"), ("NotFoundError", "No microphone was found")],
)
def test_a_microphone_that_is_not_available_is_explained(chat, error, words):
    def with_voice(route):
        config = route.fetch().json()
        config["features"] |= {"voiceNotes": True, "dictation": True}
        route.fulfill(json=config)

    chat.page.route("**/config.json", with_voice)
    refusing = f"async () => {{ throw new DOMException('', '{error}') }}"
    chat.page.add_init_script(f"navigator.mediaDevices.getUserMedia = {refusing}")
    chat.open()
    chat.page.locator(".voice").get_by_role("button").click()
    expect(chat.page.get_by_role("alert")).to_contain_text(words)
    chat.button("Dictate").click()
    expect(chat.page.locator("openai-chatkit").get_by_role("alert")).to_contain_text(words)


def test_the_page_is_a_small_download():
    dist = FRONTEND / "dist"
    files = [file for file in dist.rglob("*") if re.search(r"\.(js|css|html|svg)$", file.name)]
    sizes = {file.name: len(gzip.compress(file.read_bytes())) for file in files}
    for part in ("standin-", "sign-in-"):
        assert any(name.startswith(part) for name in sizes)
    (issuer,) = (name for name in sizes if name.startswith("issuer-"))
    assert sizes.pop(issuer) <= ISSUER_LIMIT, sizes
    # This one loads where a challenge comes before an identity.
    challenge = [name for name in sizes if name.startswith("Challenge-")]
    assert challenge
    assert sum(sizes.pop(name) for name in challenge) < CHALLENGE_LIMIT
    # The line under the chat loads after the chat, and the dialog behind it with a click.
    foot = [name for name in sizes if name.startswith("Foot-")]
    assert foot
    assert sum(sizes.pop(name) for name in foot) < FOOT_LIMIT
    (own_data,) = (name for name in sizes if name.startswith("YourData-"))
    assert sizes.pop(own_data) <= YOUR_DATA_LIMIT, sizes
    # These load with the first passage that is opened.
    passage = [name for name in sizes if name.startswith("Passage-")]
    assert passage
    assert sum(sizes.pop(name) for name in passage) < PASSAGE_LIMIT
    # These load at the address /admin, where there is no chat.
    admin = [name for name in sizes if name.startswith("Admin-")]
    assert admin
    assert sum(sizes.pop(name) for name in admin) < ADMIN_LIMIT
    # These load with the first chart, form of questions, or icon that only an assistant shows. The
    # geometry of charts is a file of its own, because /admin has charts, too.
    rare = [name for name in sizes if name.startswith(("rare-", "plot-"))]
    assert rare
    assert sum(sizes.pop(name) for name in rare) <= RARE_LIMIT, sizes
    assert sum(sizes.values()) < BUNDLE_LIMIT, sizes


def test_where_everybody_is_anonymous_no_code_for_sign_in_is_loaded(chat):
    chat.open()
    chat.ask(QUESTION)
    assert chat.scripts == {"index", "assistant", "standin", "Foot"}


def test_where_a_person_has_no_limits_the_page_does_not_ask_for_their_use(chat):
    chat.open()
    chat.ask(QUESTION)
    assert not [request.url for request in chat.requests if "/usage" in request.url]
