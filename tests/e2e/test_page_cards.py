"""One visitor with two windows: an action in one counts in both."""

import pytest
from chat_page import Chat
from phrases import CARD, CARD_BOX, CARD_OPEN, CARD_OTHER_BOX, FORM, FORM_SENT
from playwright.sync_api import expect

pytestmark = pytest.mark.page


@pytest.fixture
def windows(page, server):
    """Two windows of one person, with the same card."""
    first = Chat(page(), server).open()
    first.ask(CARD)
    second = Chat(first.page.context.new_page(), server).open(f"/?thread={first.thread}")
    expect(second.widgets.last).to_contain_text(CARD_OPEN.format(3))
    return first, second


def pressed(response):
    return response.url.endswith("/actions")


def test_what_is_ticked_in_two_windows_is_ticked_in_both(windows):
    first, second = windows
    # Both requests are sent before the first one is answered.
    with first.page.expect_response(pressed) as one, second.page.expect_response(pressed) as other:
        first.widgets.last.get_by_label(CARD_BOX).click(no_wait_after=True)
        second.widgets.last.get_by_label(CARD_OTHER_BOX).click(no_wait_after=True)
    assert [one.value.status, other.value.status] == [200, 200]
    for window in windows:
        window.page.reload()
        card = window.widgets.last
        expect(card).to_contain_text(CARD_OPEN.format(1))
        expect(card.get_by_label(CARD_BOX)).to_be_checked()
        expect(card.get_by_label(CARD_OTHER_BOX)).to_be_checked()


def test_a_press_in_a_window_that_shows_an_old_state_works(windows):
    first, second = windows
    first.widgets.last.get_by_label(CARD_BOX).click()
    expect(first.widgets.last).to_contain_text(CARD_OPEN.format(2))
    # The other window still shows the box as open. Ticking it changes nothing and is no error.
    second.widgets.last.get_by_label(CARD_BOX).click()
    expect(second.widgets.last).to_contain_text(CARD_OPEN.format(2))
    expect(second.widgets.last.get_by_label(CARD_BOX)).to_be_checked()


def test_a_form_that_was_sent_from_one_window_is_refused_from_the_other(page, server, tolerated):
    tolerated.append("409")
    first = Chat(page(), server).open()
    first.ask(FORM)
    second = Chat(first.page.context.new_page(), server).open(f"/?thread={first.thread}")
    second.widgets.last.locator('[name="name"]').wait_for()
    for window, name in ((first, "Ada"), (second, "Bob")):
        card = window.widgets.last
        card.locator('[name="name"]').fill(name)
        card.locator('[name="email"]').fill(f"{name}@example.com")
        card.get_by_role("button").last.click()
        if window is first:
            expect(card).to_contain_text("Ada@example.com")
    expect(second.page.get_by_text(FORM_SENT)).to_be_visible()
    second.page.reload()
    expect(second.widgets.last).to_contain_text("Ada@example.com")
