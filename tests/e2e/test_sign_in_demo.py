"""`SIGN_IN=demo`: sign-in that can be tried at once. And visitors who may sign in, and need not."""

import pytest
from chat_page import Chat
from phrases import QUESTION
from playwright.sync_api import expect
from sign_in import ADA, account, sign_in, sign_out, visit

from tests.support.dev import Dev
from tests.support.oidc_provider import free_port_for_both, oidc_provider


def test_people_find_their_conversations_after_make_dev_was_started_again(
    page, tolerated, tmp_path
):
    tolerated.extend(["401", "400"])  # the new issuer knows no token of the old one
    where = {"folder": tmp_path, "port": free_port_for_both(), "SIGN_IN": "demo"}
    with Dev(**where) as dev:
        assert f"Sign in as           {ADA} (staff)" in dev.output()
        chat = Chat(page(), dev.url)
        visit(chat)
        sign_in(chat)
        chat.ask(QUESTION)
        link = chat.page.url.removeprefix(dev.url)
    dev.wait_until_gone()
    with Dev(**where):
        # The issuer has new keys, and knows nobody.
        visit(chat, link)
        expect(chat.page.get_by_role("alert")).to_contain_text("Your sign-in has ended")
        sign_in(chat)
        expect(chat.questions).to_have_count(1)


def test_make_lambda_has_it_too(page, tolerated):
    tolerated.append("401")
    with Dev("lambda", port=free_port_for_both(), SIGN_IN="demo") as emulated:
        assert f"Sign in as {ADA} (staff)" in emulated.output()
        chat = Chat(page(), emulated.url)
        visit(chat)
        with chat.page.expect_response("**/chatkit/session") as session:
            sign_in(chat)
        user = session.value.json()["user"]
        assert (user["roles"], user["tenant"]) == (["staff"], "analytical-engine")
        chat.ask(QUESTION)
        expect(account(chat)).to_have_accessible_name(f"Account of {ADA}")


@pytest.fixture
def optional():
    """A `make dev` where visitors may chat without signing in."""
    port = free_port_for_both()
    with oidc_provider(port) as issuer:
        settings = {**issuer.variables, "CHATKIT_OIDC_OPTIONAL": "true"}
        with Dev(port=port, **settings) as dev:
            yield dev.url


def test_where_it_is_optional_visitors_chat_and_sign_in_from_the_header(page, optional):
    chat = Chat(page(), optional).open()
    chat.ask(QUESTION)
    as_visitor = chat.page.url
    assert "sign-in" in chat.scripts
    assert "issuer" not in chat.scripts  # the large one, which is for people who sign in
    chat.button("New conversation").click()
    sign_in(chat)
    assert "issuer" in chat.scripts
    expect(account(chat)).to_be_visible()
    chat.button("Conversations").click()
    chat.page.get_by_text("No conversations").wait_for()
    sign_out(chat)
    chat.page.goto(as_visitor)
    expect(chat.questions).to_have_count(1)
