"""Writing, reading, stopping, and returning to a conversation."""

from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from chat_page import Chat
from phrases import (
    ANSWER,
    CARD,
    FORM,
    HELLO,
    QUESTION,
    SLOW,
    SLOW_ANSWER,
    SLOW_PROGRESS,
    SLOW_SUBJECT,
    STORY,
    STORY_BEGINS,
    STORY_ENDS,
)
from playwright.sync_api import expect

from tests.support.chat import Chat as Client
from tests.support.chat import message, thread_of


@pytest.fixture
def chat(page, server):
    return Chat(page(), server).open()


def begin_story(chat):
    """Starts an answer that takes some seconds, in a thread that exists already."""
    chat.ask(HELLO)
    chat.send(STORY)


def test_the_words_of_an_answer_arrive_one_after_the_other(chat):
    begin_story(chat)
    chat.stop.wait_for()
    seen = chat.watch(
        lambda: chat.answers.last.inner_text().strip(), until=lambda text: STORY_ENDS in text
    )
    growing = [text for text in seen if text.startswith(STORY_BEGINS)]
    assert len(growing) >= 10
    assert sorted(growing, key=len) == growing


@pytest.mark.page
def test_a_reload_shows_the_thread_with_all_its_items(chat):
    chat.ask(SLOW_SUBJECT)
    thread = chat.thread
    said = chat.answers.last.inner_text()
    chat.page.reload()
    expect(chat.answers.last).to_have_text(said.strip(), use_inner_text=True)
    assert chat.thread == thread
    expect(chat.questions).to_have_count(1)


@pytest.mark.page
def test_history_opens_renames_and_deletes(chat):
    chat.ask(QUESTION)
    first = chat.thread
    chat.new_conversation()
    expect(chat.page.get_by_role("heading", level=1)).to_be_visible()
    assert chat.thread is None
    chat.ask(HELLO)
    chat.button("Conversations").click()
    rows = chat.page.locator(".threads li")
    expect(rows).to_have_count(2)

    rows.nth(1).get_by_role("button", name="Rename").click()
    chat.page.get_by_label("New title").fill("The answer")
    chat.button("Save").click()
    expect(rows.filter(has_text="The answer")).to_have_count(1)

    rows.filter(has_text="The answer").locator(".open").click()
    expect(chat.answers.last).to_contain_text(ANSWER)
    assert chat.thread == first

    chat.button("Conversations").click()
    rows.filter(has_text="The answer").get_by_role("button", name="Delete").click()
    chat.button("Delete").click()
    expect(rows).to_have_count(1)
    assert chat.thread is None


@pytest.mark.page
def test_a_long_history_is_shown_page_by_page(chat):
    cookies = {cookie["name"]: cookie["value"] for cookie in chat.page.context.cookies()}

    def converse(number):
        answer = httpx2.post(
            chat.server + "/chatkit",
            json={"type": "threads.create", "params": {"input": message(f"What is {number} + 1?")}},
            cookies=cookies,
            timeout=30,
        )
        assert "event-stream" in answer.headers["content-type"]

    converse(0)
    with ThreadPoolExecutor(5) as at_once:
        list(at_once.map(converse, range(1, 21)))
    chat.button("Conversations").click()
    rows = chat.page.locator(".threads li")
    expect(rows).to_have_count(20)
    chat.button("Show more").click()
    expect(rows).to_have_count(21)
    expect(chat.button("Show more")).to_have_count(0)
    rows.last.locator(".open").click()
    expect(chat.questions).to_contain_text(["What is 0 + 1?"])


@pytest.mark.page
def test_back_opens_the_previous_conversation(chat):
    chat.ask("What is 1 + 1?")
    first = chat.thread
    chat.new_conversation()
    chat.ask("What is 2 + 2?")
    chat.page.go_back()
    chat.page.go_back()
    expect(chat.questions).to_contain_text(["1 + 1"])
    assert chat.thread == first


@pytest.mark.page
def test_another_visitor_sees_none_of_it(chat, page, server, tolerated):
    tolerated.append("404")
    chat.ask(QUESTION)
    stranger = Chat(page(), server).open(f"/?thread={chat.thread}")
    expect(stranger.page.get_by_text("does not exist any more")).to_be_visible()
    stranger.button("Conversations").click()
    expect(stranger.page.get_by_text("No conversations yet")).to_be_visible()


def test_stop_ends_the_answer_and_keeps_what_was_written(chat):
    begin_story(chat)
    expect(chat.answers.last).to_contain_text(STORY_BEGINS)
    chat.stop.click()
    chat.settle()
    said = chat.answers.last.inner_text()
    assert STORY_ENDS not in said
    cancel = [r for r in chat.requests if r.url.endswith("/actions/cancel")]
    asked = chat.operations("threads.add_user_message")[0]
    assert len(cancel) == 1
    assert cancel[0].post_data_json == {"run_id": asked.headers["x-chatkit-run-id"]}
    chat.page.reload()
    expect(chat.answers.last).to_contain_text(STORY_BEGINS, timeout=15_000)
    expect(chat.answers.last).not_to_contain_text(STORY_ENDS)


@pytest.mark.page
def test_stop_in_the_first_answer_shows_what_is_stored_and_a_title(chat):
    chat.send(STORY)
    expect(chat.answers.last).to_contain_text(STORY_BEGINS)
    chat.stop.click()
    chat.settle()
    expect(chat.page.get_by_role("heading", level=2)).not_to_be_empty(timeout=15_000)
    shown = chat.answers.last.inner_text()
    chat.page.reload()
    expect(chat.answers.last).to_have_text(shown, use_inner_text=True)


def test_an_answer_is_complete_after_the_visitor_left_and_returned(chat):
    begin_story(chat)
    expect(chat.answers.last).to_contain_text(STORY_BEGINS)
    chat.page.reload()
    expect(chat.answers.last).to_contain_text(STORY_ENDS, timeout=30_000)
    assert not [r for r in chat.requests if r.url.endswith("/actions/cancel")]


@pytest.mark.page
def test_another_conversation_can_be_opened_while_one_is_answered(chat):
    begin_story(chat)
    expect(chat.answers.last).to_contain_text(STORY_BEGINS)
    story = chat.thread
    chat.new_conversation()
    chat.ask(QUESTION)
    expect(chat.questions).to_have_count(1)
    expect(chat.answers.last).to_contain_text(ANSWER)
    chat.button("Conversations").click()
    chat.page.locator(".threads li").filter(has_text=HELLO).locator(".open").click()
    expect(chat.answers.last).to_contain_text(STORY_ENDS, timeout=30_000)
    assert chat.thread == story
    assert not [r for r in chat.requests if r.url.endswith("/actions/cancel")]


@pytest.mark.page
def test_an_answer_can_be_rated_copied_and_written_again(chat):
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.ask(QUESTION)
    with chat.page.expect_response(
        lambda r: "items.feedback" in (r.request.post_data or "")
    ) as given:
        chat.button("Good answer").click()
    assert given.value.status == 200
    expect(chat.button("Good answer")).to_have_attribute("aria-pressed", "true")
    chat.button("Copy").last.click()
    expect(chat.button("Copied")).to_be_visible()
    assert ANSWER in chat.page.evaluate("navigator.clipboard.readText()")
    chat.page.reload()
    expect(chat.button("Good answer")).to_have_attribute("aria-pressed", "true")
    with chat.page.expect_response(lambda r: r.url.endswith("/feedback/remove")) as taken_back:
        chat.button("Good answer").click()
    assert taken_back.value.status == 204
    expect(chat.button("Good answer")).to_have_attribute("aria-pressed", "false")
    before = chat.answers.count()
    chat.button("Answer again").click()
    chat.settle()
    expect(chat.answers).to_have_count(before)
    expect(chat.questions).to_have_count(1)


@pytest.mark.page
def test_progress_is_shown_while_a_tool_works(page, server):
    chat = Chat(page(), server)
    chat.draw_each_event()
    chat.open()
    chat.ask(SLOW_SUBJECT)
    chat.new_conversation()
    seen = chat.collect("[data-progress]")
    chat.ask(SLOW)
    assert any(SLOW_PROGRESS in text for text in seen())
    expect(chat.answers.last).to_contain_text(SLOW_ANSWER)


@pytest.mark.page
def test_a_new_answer_does_not_scroll_a_visitor_who_reads_above(chat):
    chat.ask(HELLO)
    chat.ask(CARD)
    chat.ask(FORM)
    scroller = chat.page.locator(".scroller")
    scroller.evaluate("scroller => { scroller.scrollTop = 0 }")
    down = chat.button("To the latest message")
    expect(down).to_be_visible()
    chat.send(STORY)
    expect(chat.answers.last).to_contain_text(STORY_BEGINS)
    scroller.evaluate("scroller => { scroller.scrollTop = 0 }")
    expect(chat.answers.last).to_contain_text(STORY_ENDS, timeout=30_000)
    assert scroller.evaluate("scroller => scroller.scrollTop") == 0
    down.click()
    expect(down).not_to_be_visible()
    chat.settle()


@pytest.mark.page
def test_earlier_messages_are_loaded_on_demand(chat):
    visitor = Client(chat.server)
    for cookie in chat.page.context.cookies():
        visitor.http.cookies.set(cookie["name"], cookie["value"])
    thread = thread_of(visitor.create("What is 0 + 1?"))
    for number in range(1, 22):
        visitor.say(thread, f"What is {number} + 1?")
    chat.open(f"/?thread={thread}")
    chat.questions.first.wait_for()
    first = chat.questions.filter(has_text="What is 0 + 1?")
    expect(first).to_have_count(0)
    chat.button("Show earlier messages").click()
    expect(first).to_have_count(1)
    expect(chat.questions).to_have_count(22)
    expect(chat.button("Show earlier messages")).to_have_count(0)
