"""Cards, forms and lists: an action has an effect that survives a reload."""

import pytest
from chat_page import ANSWER_WITHIN_MS, Chat
from phrases import (
    CARD,
    CARD_BOX,
    CARD_OPEN,
    CARD_OTHER_BOX,
    CHOICE,
    CHOICE_OPTION,
    FORM,
    FORM_ERROR,
    INTERVIEW,
    INTERVIEW_OPTION,
    NOTE,
    NOTE_ENDS,
    NOTE_TITLE,
    PAGE_CARD,
    PAGE_TOOL,
    PAGE_TOOL_RESULT,
)
from playwright.sync_api import expect


@pytest.fixture
def chat(page, server):
    return Chat(page(), server).open()


def test_an_item_that_is_ticked_off_stays_ticked_off(chat):
    chat.ask(CARD)
    card = chat.widgets.last
    card.get_by_label(CARD_BOX).click()
    expect(card).to_contain_text(CARD_OPEN.format(2))
    expect(card.get_by_label(CARD_BOX)).to_be_checked()
    chat.page.reload()
    expect(card).to_contain_text(CARD_OPEN.format(2))
    expect(card.get_by_label(CARD_BOX)).to_be_checked()
    expect(card.get_by_label(CARD_OTHER_BOX)).not_to_be_checked()
    assert chat.operations("threads.sync_custom_action")[0].url.endswith("/actions")


@pytest.mark.page
def test_a_form_shows_its_error_and_is_saved_when_correct(chat):
    chat.ask(FORM)
    card = chat.widgets.last
    card.get_by_label("Name").fill("Ada Lovelace")
    card.get_by_label("Email").fill("ada@example")
    card.get_by_role("button").last.click()
    expect(card).to_contain_text(FORM_ERROR)
    expect(card.get_by_label("Name")).to_have_value("Ada Lovelace")
    card.get_by_label("Email").fill("ada@example.com")
    card.get_by_role("button").last.click()
    expect(card.locator("input")).to_have_count(0)
    expect(card).to_contain_text("Ada Lovelace")
    chat.page.reload()
    expect(card).to_contain_text("ada@example.com")


def test_the_assistant_answers_a_choice_from_a_list(chat):
    chat.ask(CHOICE)
    before = chat.answers.count()
    chat.widgets.last.get_by_role("button", name=CHOICE_OPTION).click()
    expect(chat.answers).to_have_count(before + 1)
    chat.settle()
    first, second = chat.operations("threads.custom_action")
    assert first.url.endswith("/actions")
    assert second.redirected_from == first
    assert second.url.endswith("/chatkit")
    said = chat.answers.last.inner_text()
    chat.page.reload()
    expect(chat.answers.last).to_have_text(said.strip(), use_inner_text=True)
    expect(chat.widgets.last.get_by_role("button", name=CHOICE_OPTION)).to_have_count(0)


@pytest.mark.page
def test_the_server_redraws_a_card_after_an_action_of_the_page(chat):
    chat.ask(PAGE_CARD)
    chat.widgets.last.get_by_role("button", name="Dark").click()
    expect(chat.page.locator("html")).to_have_attribute("data-scheme", "dark")
    dark = chat.widgets.last.locator('[data-style="primary"]')
    expect(dark).to_have_text("Dark")
    chat.page.reload()
    expect(chat.page.locator("html")).to_have_attribute("data-scheme", "dark")
    expect(dark).to_have_text("Dark")


@pytest.mark.page
def test_a_note_is_written_word_by_word_and_announced(chat):
    chat.draw_each_event()
    chat.page.reload()
    chat.composer.wait_for()
    seen = chat.collect('[data-item="widget"]')
    chat.send(NOTE)
    expect(chat.widgets.last).to_contain_text(NOTE_ENDS, timeout=ANSWER_WITHIN_MS)
    growing = [text for text in seen() if text.startswith(NOTE_TITLE)]
    assert len(growing) >= 5
    assert sorted(growing, key=len) == growing
    expect(chat.banner("said")).to_have_text(f"The page got: {NOTE_TITLE}")
    chat.settle()
    chat.page.reload()
    expect(chat.widgets.last).to_contain_text(NOTE_ENDS)


@pytest.mark.page
def test_questions_of_the_assistant_can_be_answered_in_a_form(chat):
    chat.ask(INTERVIEW)
    form = chat.page.locator('[data-item="structured_input"]')
    form.locator("textarea").fill("Learn to sail")
    form.get_by_label(INTERVIEW_OPTION).check()
    form.get_by_role("button", name="Answer").click()
    expect(form.locator("textarea")).to_have_count(0)
    expect(form).to_contain_text("Learn to sail")
    chat.settle()
    chat.page.reload()
    expect(form).to_contain_text(INTERVIEW_OPTION)


@pytest.mark.page
def test_the_assistant_can_use_a_tool_of_the_page(chat):
    chat.ask(PAGE_TOOL)
    expect(chat.page.locator("html")).to_have_attribute("data-scheme", "dark")
    chat.settle()
    output = chat.operations("threads.add_client_tool_output")[0]
    assert output.post_data_json["params"]["result"] == PAGE_TOOL_RESULT


PAGE_WITHOUT_ABILITIES = """\
export const locale = undefined;
export const assistantOptions = () => ({});
export const onEffect = () => {};
export const onDeeplink = () => {};
"""


@pytest.mark.page
def test_a_page_that_can_do_nothing_is_offered_nothing_that_needs_it(page, server):
    window = page()
    window.route(
        "**/assets/assistant-*.js",
        lambda route: route.fulfill(body=PAGE_WITHOUT_ABILITIES, content_type="text/javascript"),
    )
    chat = Chat(window, server).open()
    for request in (PAGE_CARD, PAGE_TOOL):
        chat.ask(request)
        expect(chat.answers.last).to_contain_text("demo")
    expect(chat.widgets).to_have_count(0)
    assert chat.operations("threads.add_client_tool_output") == []
