"""Everything that ChatKit can show, in one conversation: what only a browser can prove of it."""

import pytest
from chat_page import Chat, complaints
from playwright.sync_api import expect

from tests.support.dev import Dev

pytestmark = pytest.mark.page


@pytest.fixture(scope="module")
def server(request):
    with Dev("dev", CHATKIT_ASSISTANT="gallery") as running:
        yield running.url


def drawn(chat):
    """The words of each answer, without the buttons below, and the pictures that are loaded."""
    return chat.page.evaluate(
        """() => {
            const root = document.querySelector("openai-chatkit").shadowRoot;
            const items = [...root.querySelectorAll(".turn > [data-item], .turn > .workflow")];
            const images = [...root.querySelectorAll("[data-item] img")];
            return {
                words: items.map((item) => item.textContent.replace(/\\s+/g, " ").trim()),
                images: images.map((image) => image.complete && image.naturalWidth > 0),
            };
        }"""
    )


def shapes(chart):
    """The sizes of what a chart draws, in pixels."""
    return chart.evaluate(
        """(chart) => Object.fromEntries(
            ["g rect", ".line", ".w-chart-y span", ".w-chart-x span"].map((selector) => [
                selector,
                [...chart.querySelectorAll(selector)].map((each) => {
                    const { width, height, x } = each.getBoundingClientRect();
                    return { width, height, x };
                }),
            ]),
        )"""
    )


def test_everything_is_drawn_can_be_read_and_is_there_again(page, server):
    chat = Chat(page(color_scheme="light"), server).open()
    chat.ask("everything")
    expect(chat.banner("said")).to_have_text("The page got: Tides")
    expect(chat.page.locator(".notice")).to_have_count(3)

    chart = chat.page.locator(".w-chart").first
    expect(chart.locator("table")).to_be_attached()
    found = shapes(chart)
    assert len(found["g rect"]) == 6
    assert all(bar["height"] > 2 and bar["width"] > 5 for bar in found["g rect"])
    assert len(found[".line"]) == 2
    assert all(line["width"] > 100 for line in found[".line"])
    # Each label stands below its bars. The other three bars are stacked on these.
    for bar, label in zip(found["g rect"][:3], found[".w-chart-x span"], strict=True):
        assert label["x"] <= bar["x"] <= label["x"] + label["width"]

    entity = chat.page.locator("button.entity")
    entity.hover()
    expect(chat.page.get_by_role("tooltip")).to_contain_text("Old")
    chat.page.mouse.move(0, 0)
    expect(chat.page.get_by_role("tooltip")).to_have_count(0)

    assert complaints(chat) == []
    before = drawn(chat)
    assert before["images"]
    assert all(before["images"])
    chat.page.reload()
    expect(chat.answers.last).to_be_visible()
    expect(chat.page.locator(".w-chart table")).to_have_count(2)
    assert drawn(chat)["words"] == before["words"]
    chat.page.emulate_media(color_scheme="dark")
    expect(chat.page.locator("html")).to_have_attribute("data-scheme", "dark")
    assert complaints(chat) == []
