"""Reading a conversation: what grows stays in view, tables scroll, menus can be seen."""

import pytest
from chat_page import Chat
from playwright.sync_api import expect

pytestmark = pytest.mark.page

THREAD = {"id": "thr_1", "title": "Reading", "created_at": "2026-01-01T10:00:00"}
PARAGRAPHS = "\n\n".join(f"Paragraph {number} of a long answer." for number in range(30))
TALL = '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="500"><rect/></svg>'
TABLE = """\
| Name | Department | Responsibility | Telephone | Availability | Since |
| --- | --- | --- | --- | --- | --- |
| Wilhelmina | Procurement | Infrastructure | 5550123456 | Wednesdays | 2019 |
"""


@pytest.fixture
def chat(page, server):
    return Chat(page(), server)


def item(number, kind, **fields):
    created = f"2026-01-01T10:00:{number:02}"
    return {"id": f"m{number}", "thread_id": "thr_1", "created_at": created, "type": kind, **fields}


def question(number, text):
    return item(number, "user_message", content=[{"type": "input_text", "text": text}],
                attachments=[], inference_options={})  # fmt: skip


def answer(number, text):
    part = {"type": "output_text", "text": text, "annotations": []}
    return item(number, "assistant_message", content=[part])


def show(chat, *items):
    """Opens a conversation that has these items."""

    def serve(route):
        kind = route.request.post_data_json["type"]
        items_page = {"data": [*reversed(items)], "has_more": False}
        route.fulfill(json=items_page if kind == "items.list" else {**THREAD, "items": items_page})

    chat.page.route(f"{chat.server}/chatkit", serve)
    chat.open("/?thread=thr_1")
    chat.questions.first.wait_for()


def hold_image(chat):
    """Images at `/late.svg` load when the test says so."""
    held = []

    def hold(route):
        held.append(route)

    chat.page.route("**/late.svg", hold)

    def load():
        for route in held:
            route.fulfill(body=TALL, content_type="image/svg+xml")
        expect(chat.page.get_by_role("img", name="Generated image")).to_have_js_property(
            "naturalHeight", 500
        )

    return load


def late_image(number):
    return item(number, "generated_image", image={"id": "i", "url": "/late.svg"})


def test_an_image_that_loads_late_leaves_the_newest_content_in_view(chat):
    load = hold_image(chat)
    show(chat, question(1, "Draw"), answer(2, PARAGRAPHS), late_image(3), answer(4, "The end."))
    expect(chat.answers.last).to_be_in_viewport()
    load()
    expect(chat.answers.last).to_be_in_viewport(ratio=1)
    expect(chat.button("To the latest message")).not_to_be_visible()


def test_content_that_grew_just_before_something_is_drawn_is_not_taken_for_scrolling(chat):
    show(chat, question(1, "Tell"), answer(2, PARAGRAPHS), answer(3, "The end."))
    expect(chat.answers.last).to_be_in_viewport()
    chat.page.evaluate(
        """() => {
            const { shadowRoot } = document.querySelector("openai-chatkit");
            const grows = shadowRoot.querySelector("[data-item=assistant_message]");
            grows.style.paddingBottom = "600px";
            const field = shadowRoot.querySelector("[data-composer]");
            field.value = "Typing draws";
            field.dispatchEvent(new InputEvent("input", { bubbles: true }));
        }"""
    )
    expect(chat.answers.last).to_be_in_viewport(ratio=1)


def test_a_window_that_becomes_smaller_leaves_the_newest_content_in_view(chat):
    show(chat, question(1, "Tell"), answer(2, PARAGRAPHS), answer(3, "The end."))
    expect(chat.answers.last).to_be_in_viewport()
    chat.page.set_viewport_size({"width": 1280, "height": 500})
    expect(chat.answers.last).to_be_in_viewport(ratio=1)


def test_a_reader_who_scrolled_up_stays_there_and_finds_the_way_down(chat):
    load = hold_image(chat)
    show(chat, question(1, "Draw"), answer(2, PARAGRAPHS), late_image(3), answer(4, "The end."))
    scroller = chat.page.locator(".scroller")
    expect(chat.answers.last).to_be_in_viewport()
    scroller.hover()
    chat.page.mouse.wheel(0, -10_000)
    expect(scroller).to_have_js_property("scrollTop", 0)
    load()
    expect(chat.button("To the latest message")).to_be_visible()
    expect(scroller).to_have_js_property("scrollTop", 0)
    chat.button("To the latest message").click()
    expect(chat.answers.last).to_be_in_viewport(ratio=1)


def cells(words):
    return {"type": "Table.Row", "children": [
        {"type": "Table.Cell", "children": [{"type": "Text", "value": word}]} for word in words
    ]}  # fmt: skip


def test_a_table_scrolls_and_breaks_no_word(page, server):
    chat = Chat(page(viewport={"width": 360, "height": 640}), server)
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in TABLE.split("\n")]
    card = {"type": "Card", "children": [{"type": "Table", "children": [cells(rows[2])]}]}
    show(chat, question(1, "Who?"), answer(2, TABLE), item(3, "widget", widget=card))
    tables = chat.page.locator(".table")
    expect(tables).to_have_count(2)
    for table in tables.all():
        assert table.evaluate("table => table.scrollWidth > table.clientWidth")
    broken = chat.page.locator(".table :is(th, td)").evaluate_all(
        """(cells) => cells.flatMap((cell) => {
            const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
            const broken = [];
            while (texts.nextNode()) {
                const range = document.createRange();
                range.selectNodeContents(texts.currentNode);
                if (range.getClientRects().length > 1) broken.push(cell.textContent.trim());
            }
            return broken;
        })"""
    )
    assert broken == []


THEMES = {
    "light": [
        {},
        {"accent": "#7a1fa2", "background": "#fdf7ff", "raised": "#ffffff", "hue": "310"},
        {"accent": "#b35900", "background": "#fff3d6", "raised": "#fffaf0", "hue": "70"},
    ],
    "dark": [
        {},
        {"accent": "#f0b3ff", "background": "#1d1024", "raised": "#2a1a33", "hue": "310"},
        {"accent": "#6ea8ff", "background": "#000000", "raised": "#0d1117", "hue": "250"},
    ],
}

CONTRASTS = """() => {
    const host = document.querySelector("openai-chatkit");
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const mixed = (...layers) => {
        for (const layer of layers) { canvas.fillStyle = layer; canvas.fillRect(0, 0, 1, 1); }
        return canvas.getImageData(0, 0, 1, 1).data;
    };
    const light = (colour) => [0.2126, 0.7152, 0.0722].reduce((sum, part, at) => {
        const value = colour[at] / 255;
        return sum + part * (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    }, 0);
    const contrast = (one, other) => {
        const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    };
    const style = (selector) => getComputedStyle(host.shadowRoot.querySelector(selector));
    const menu = style(".menu:not([hidden])").backgroundColor;
    const row = style(".menu-entry[aria-selected=true]");
    const send = style(".send");
    const selected = mixed(menu, row.backgroundColor);
    return {
        row: contrast(mixed(menu), selected),
        bar: contrast(mixed(menu), mixed(row.boxShadow.match(/^.*?\\)/)[0])),
        text: contrast(mixed(row.color), selected),
        small: contrast(mixed(style(".menu-entry[aria-selected=true] small").color), selected),
        send: contrast(mixed(send.backgroundColor), mixed(send.color)),
    };
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_selected_row_of_a_menu_can_be_seen_with_any_theme(page, server, scheme):
    chat = Chat(page(color_scheme=scheme), server).open()
    chat.composer.press_sequentially("/")
    chat.page.get_by_role("option", selected=True).wait_for()
    for theme in THEMES[scheme]:
        chat.page.evaluate(
            """(theme) => {
                const { style } = document.querySelector("openai-chatkit");
                for (const name in theme) style.setProperty(`--${name}`, theme[name]);
            }""",
            theme,
        )
        seen = chat.page.evaluate(CONTRASTS)
        assert seen["row"] >= 1.2, (theme, seen)
        assert seen["bar"] >= 3, (theme, seen)
        assert min(seen["text"], seen["small"], seen["send"]) >= 4.5, (theme, seen)
