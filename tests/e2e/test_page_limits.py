"""Where people have limits, the page says what is used, and a refusal costs no word."""

import json
import re
import threading

import httpx2
import pytest
from chat_page import Chat, complaints
from phrases import HELLO, STORY, STORY_ENDS
from playwright.sync_api import expect

from tests.support.dev import Dev

LIMITS = {"person": {"messages_per_day": 5, "answers_at_once": 1}, "newcomers": 1}

pytestmark = pytest.mark.page


@pytest.fixture(scope="module")
def server(request):
    with Dev(request.param, CHATKIT_LIMITS=json.dumps(LIMITS)) as running:
        yield running.url


@pytest.fixture
def chat(page, server, tolerated):
    tolerated.append("Failed to load resource")  # the browser logs this for every refusal
    return Chat(page(), server)


def test_the_line_of_use_follows_the_answers_and_moves_nothing_when_it_comes(chat):
    chat.page.add_init_script(
        """window.shift = 0;
        new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) shift += entry.value;
        }).observe({ type: "layout-shift", buffered: true });"""
    )
    chat.open()
    expect(chat.usage).to_have_text("0 of 5 messages today.")
    # After two frames all layout shifts are counted.
    chat.page.evaluate(
        "new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"
    )
    assert chat.page.evaluate("shift") < 0.01
    chat.ask(HELLO)
    expect(chat.usage).to_have_text("1 of 5 messages today.")
    chat.page.reload()
    expect(chat.usage).to_have_text("1 of 5 messages today.")
    assert complaints(chat) == []


def test_a_person_is_told_when_little_is_left_and_keeps_the_text_that_is_refused(chat):
    chat.open()
    notice = chat.page.locator(".notice[data-level='warning']")
    for _ in range(3):
        chat.ask(HELLO)
        expect(notice).to_have_count(0)
    chat.ask(HELLO)
    expect(notice).to_contain_text("80% of what you can use today: 4 of 5 messages")
    little = chat.usage.get_by_role("status")
    expect(little).to_have_text(re.compile(r"^Little is left .* resets at \d+:\d\d.[AP]M\.$"))
    chat.ask(HELLO)
    expect(notice).to_have_count(0)
    expect(chat.usage).to_contain_text("5 of 5 messages today.")
    assert complaints(chat) == []

    with chat.page.expect_response(lambda response: response.status == 429) as refused:
        chat.send("My precious words")
    assert int(refused.value.header_value("retry-after")) <= 24 * 3600
    alert = chat.page.locator("openai-chatkit").get_by_role("alert")
    expect(alert).to_have_text(
        "Your limit of messages for today is reached. Please come back tomorrow."
    )
    expect(chat.composer).to_have_value("My precious words")
    expect(chat.questions).to_have_count(5)
    chat.page.reload()
    expect(chat.composer).to_have_value("My precious words")
    expect(chat.questions).to_have_count(5)


def test_an_answer_is_shown_in_the_end_when_its_request_broke_off_and_was_sent_again(chat):
    chat.open()
    readers = []

    def break_off(route):
        """The server gets the request, and the page gets no answer."""
        if '"type":"threads.create"' not in (route.request.post_data or ""):
            return route.continue_()
        begun = threading.Event()
        headers = {k: v for k, v in route.request.all_headers().items() if not k.startswith(":")}
        body = route.request.post_data_buffer

        def read():
            with httpx2.stream(
                "POST", route.request.url, headers=headers, content=body, timeout=60
            ) as answer:
                for _ in answer.iter_bytes():
                    begun.set()

        readers.append(threading.Thread(target=read))
        readers[0].start()
        assert begun.wait(30)
        chat.page.unroute("**/chatkit")
        return route.abort()

    chat.page.route("**/chatkit", break_off)
    chat.send(STORY)
    running = chat.page.locator("[data-running]")
    expect(running).to_be_visible()
    expect(chat.questions).to_have_text(re.compile(STORY))
    expect(chat.answers.last).to_contain_text(STORY_ENDS, timeout=30_000)
    expect(running).to_have_count(0)
    assert chat.thread
    assert len(chat.operations("threads.create")) == 2
    readers[0].join()
