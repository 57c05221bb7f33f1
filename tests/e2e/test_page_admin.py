"""The page /admin shows the report, and loads nothing of the chat."""

from datetime import date

import pytest
from chat_page import CDN, Chat, complaints
from playwright.sync_api import expect

from infra.cli.demo_people import conversations
from tests.support.demo_report import report_of

TODAY = date(2026, 11, 26)
WIDE = """() => [...document.querySelectorAll(".report *")]
    .filter((one) => !one.closest(".numbers"))
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
    .map((one) => one.outerHTML.slice(0, 80))"""


@pytest.mark.page
def test_admin_shows_the_totals_of_the_report_on_a_phone_too(page, server):
    made = list(conversations(20, 29, 1, TODAY))
    report = report_of(made, 30, TODAY)
    window = page(viewport={"width": 380, "height": 780}, color_scheme="dark")
    window.route("**/chatkit/report?*", lambda route: route.fulfill(json=report))
    chat = Chat(window, server)
    window.goto(f"{server}/admin")
    turns = sum(len(each.turns) for each in made)
    messages = window.get_by_role("region", name="Messages", exact=True)
    expect(messages).to_contain_text(f"{turns} messages. Most on ")
    expect(window).to_have_title("Use and quality – ChatKit Serverless")
    assert chat.scripts == {"index", "assistant", "Admin", "plot"}
    assert not [each.url for each in chat.requests if CDN.match(each.url)]
    assert window.evaluate(WIDE) == []
    assert complaints(chat) == []

    messages.locator("summary").focus()
    window.keyboard.press("Enter")
    newest = messages.get_by_role("row").nth(2)
    expect(newest).to_have_text(f"Nov 25, 2026{report['days'][-2]['messages']}")
    window.get_by_role("radio", name="30 days").focus()
    with window.expect_request("**/chatkit/report?days=90"):
        window.keyboard.press("ArrowRight")
