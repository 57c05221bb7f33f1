"""Reading a conversation: what grows stays in view, tables scroll, menus can be seen."""

import pytest
from chat_page import Chat
from playwright.sync_api import expect

pytestmark = pytest.mark.page

THREAD = {"id": "thr_1", "title": "Reading", "created_at": "2026-01-01T10:00:00"}
PARAGRAPHS = "\n\n".join(f"Paragraph {number} of a long answer." for number in range(30))
TALL = '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="500"><rect/></svg>'


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
