"""People sign in at a real OpenID Connect issuer, and out again."""

import re
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from chat_page import Chat, complaints
from phrases import QUESTION
from playwright.sync_api import expect
from sign_in import ADA, ALAN, account, choose, sign_in, sign_out, visit

from tests.support.dev import Dev
from tests.support.oidc_provider import Issuer, free_port_for_both, oidc_provider

THOUGHT = "A long thought that nobody wants to type twice"

pytestmark = pytest.mark.page


@dataclass
class Place:
    """A page and its issuer."""

    url: str
    issuer: Issuer


@pytest.fixture(scope="module")
def server(request):
    port = free_port_for_both()
    with (
        oidc_provider(port) as issuer,
        Dev(request.param, port=port, **issuer.variables) as dev,
    ):
        yield Place(dev.url, issuer)


@pytest.fixture
def issuer(server):
    yield server.issuer
    server.issuer.order(lifetimes=[], gone=[], refreshTokens=True)


@pytest.fixture
def chat(page, server, tolerated):
    tolerated.append("401")  # a browser's console has a line for each
    return Chat(page(), server.url)


def renewals(chat):
    return [
        request
        for request in chat.requests
        if request.url.endswith("/token") and "grant_type=refresh_token" in request.post_data
    ]


STORED = """async (change) => {
    const opening = indexedDB.open("chatkit.sign-in");
    const done = (request) => new Promise((resolve) => {
        request.onsuccess = () => resolve(request.result);
    });
    const database = await done(opening);
    const table = database.transaction("signed-in", "readwrite").objectStore("signed-in");
    const [key] = await done(table.getAllKeys());
    const [kept] = await done(table.getAll());
    if (kept) await done(table.put({...kept, ...change}, key));
    database.close();
    return kept ?? null;
}"""


def stored(page, **change):
    """What the page has stored of the sign-in. `change` is what a test puts there."""
    return page.evaluate(STORED, change)


def make_renewal_due(page):
    stored(page, renewAt=0)


def spoil_token(page):
    """The server refuses the token, as it does when it has expired."""
    stored(page, token=stored(page)["token"][:-8])


@contextmanager
def sign_in_window(chat):
    """The window that the page opens for it."""
    with chat.page.expect_popup() as opened:
        chat.banner("session").get_by_role("link", name="Sign in").click()
    yield opened.value


def other_window(chat):
    """The same browser's second window."""
    return Chat(chat.page.context.new_page(), chat.server)


def test_who_is_not_signed_in_gets_no_chat(chat):
    visit(chat)
    expect(chat.composer).to_have_count(0)
    assert not any("/chatkit" in request.url for request in chat.requests)
    assert complaints(chat) == []


def test_a_person_signs_in_chats_and_is_still_signed_in_after_a_reload(chat):
    visit(chat)
    sign_in(chat)
    assert chat.page.url == chat.server + "/"
    expect(account(chat)).to_have_accessible_name(f"Account of {ADA}")
    chat.ask(QUESTION)
    expect(chat.answers).not_to_have_count(0)
    tokens = {
        request.headers.get("x-chatkit-authorization")
        for request in chat.requests
        if request.url.startswith(chat.server + "/chatkit")
    }
    assert len(tokens) == 1
    assert tokens.pop().startswith("Bearer ey")
    chat.page.reload()
    expect(chat.answers).not_to_have_count(0)
    assert renewals(chat) == []


def test_a_link_to_a_conversation_leads_there_through_the_sign_in_but_not_somebody_else(
    chat, page, tolerated
):
    tolerated.append("404")
    visit(chat)
    sign_in(chat)
    chat.ask(QUESTION)
    link = f"/?thread={chat.thread}"
    later = Chat(page(), chat.server)
    visit(later, link)
    sign_in(later)
    expect(later.questions).to_contain_text(QUESTION)
    assert later.page.url == chat.server + link

    somebody = Chat(page(), chat.server)
    visit(somebody, link)
    sign_in(somebody, ALAN)
    expect(account(somebody)).to_have_accessible_name(f"Account of {ALAN}")
    expect(somebody.questions).to_have_count(0)
    somebody.button("Conversations").click()
    somebody.page.get_by_text("No conversations").wait_for()


def test_sign_out_ends_all_windows_and_the_issuer_asks_again_who_it_is(chat):
    visit(chat)
    sign_in(chat)
    second = other_window(chat).open()
    for window in (chat, second):
        window.composer.fill("A secret of Ada's")
        window.page.wait_for_function("JSON.stringify(sessionStorage).includes('secret')")
    sign_out(chat)
    assert stored(chat.page) is None
    expect(chat.composer).to_have_count(0)
    expect(second.composer).to_have_count(0)
    expect(second.button("Sign in")).to_be_visible()
    for window in (chat, second):
        assert "secret" not in window.page.evaluate("JSON.stringify(sessionStorage)")
    sign_in(second, ALAN)
    expect(second.composer).to_have_value("")
    # The first one sees that somebody has signed in.
    expect(account(chat)).to_have_accessible_name(f"Account of {ALAN}")


def test_somebody_who_cancels_can_try_again_at_the_same_address(chat):
    visit(chat, "/?thread=thr_1")
    chat.button("Sign in").click()
    chat.button("Cancel").click()
    expect(chat.page.get_by_role("alert")).to_contain_text("You are not signed in")
    assert chat.page.url == chat.server + "/?thread=thr_1"
    assert stored(chat.page) is None


def test_a_code_from_elsewhere_signs_nobody_in(chat):
    chat.page.goto(chat.server + "/signed-in?code=stolen&state=made-up")
    expect(chat.page.get_by_role("alert")).to_contain_text("You are not signed in")
    assert chat.page.url == chat.server + "/"
    assert stored(chat.page) is None


def test_a_token_is_renewed_before_it_expires_once_for_all_windows(chat):
    visit(chat)
    sign_in(chat)
    second = other_window(chat).open()
    before = stored(chat.page)
    make_renewal_due(chat.page)
    for window in (chat, second):
        window.send(QUESTION)
    for window in (chat, second):
        window.settle()
        expect(window.answers).not_to_have_count(0)
    assert len(renewals(chat) + renewals(second)) == 1
    assert stored(chat.page)["token"] != before["token"]


def test_a_token_that_the_server_refuses_is_renewed_and_nobody_notices(chat, issuer):
    issuer.order(lifetimes=[-120])
    visit(chat)
    sign_in(chat)
    assert len(renewals(chat)) == 1
    issuer.order(lifetimes=[-120])
    make_renewal_due(chat.page)
    chat.ask(QUESTION)
    expect(chat.answers).not_to_have_count(0)
    expect(chat.questions).to_have_count(1)
    expect(chat.banner("session")).to_have_count(0)
    assert len(renewals(chat)) == 3  # it was due, brought an expired one, and again


def test_a_sign_in_that_ends_while_somebody_types_costs_no_word(chat, issuer):
    visit(chat)
    sign_in(chat)
    chat.ask(QUESTION)
    issuer.order(lifetimes=[-120] * 9)
    make_renewal_due(chat.page)
    chat.send(THOUGHT)
    expect(chat.banner("session")).to_contain_text("Your sign-in has ended")
    expect(chat.composer).to_have_value(THOUGHT)
    assert complaints(chat) == []
    issuer.order(lifetimes=[])
    with sign_in_window(chat) as window:
        window.wait_for_event("close")  # the issuer still knows who it is
    expect(chat.banner("session")).to_have_count(0)
    expect(chat.composer).to_have_value(THOUGHT)
    chat.composer.press("Enter")
    expect(chat.questions).to_have_count(2)
    chat.settle()
    expect(chat.questions.last).to_contain_text(THOUGHT)
    expect(chat.composer).to_have_value("")


def test_somebody_else_who_signs_in_then_gets_neither_the_words_nor_the_conversation(
    chat, issuer, tolerated
):
    tolerated.append("400")  # the issuer refuses to renew
    visit(chat)
    sign_in(chat)
    chat.ask(QUESTION)
    spoil_token(chat.page)
    issuer.order(gone=["ada"])
    chat.page.context.clear_cookies(name=re.compile("demo_issuer"))
    chat.send(THOUGHT)
    expect(chat.banner("session")).to_be_visible()
    assert len(renewals(chat)) == 1
    with sign_in_window(chat) as window:
        choose(window, ALAN)
    expect(account(chat)).to_have_accessible_name(f"Account of {ALAN}")
    assert chat.page.url == chat.server + "/"
    expect(chat.composer).to_have_value("")
    expect(chat.questions).to_have_count(0)
    assert THOUGHT not in chat.page.evaluate("JSON.stringify(sessionStorage)")


def test_without_a_refresh_token_the_page_says_when_the_sign_in_has_ended(chat, issuer):
    issuer.order(refreshTokens=False)
    visit(chat)
    sign_in(chat)
    spoil_token(chat.page)
    chat.send(THOUGHT)
    expect(chat.banner("session")).to_be_visible()
    assert renewals(chat) == []
    with sign_in_window(chat):
        pass
    expect(chat.banner("session")).to_have_count(0)
    chat.composer.press("Enter")
    chat.settle()
    expect(chat.questions).to_have_count(1)


def test_after_a_reload_without_a_valid_sign_in_the_draft_and_the_conversation_come_back(
    chat, issuer, tolerated
):
    tolerated.append("400")  # the issuer refuses to renew
    visit(chat)
    sign_in(chat)
    chat.ask(QUESTION)
    chat.composer.fill(THOUGHT)
    spoil_token(chat.page)
    issuer.order(gone=["ada"])
    link = chat.page.url
    chat.page.reload()
    expect(chat.page.get_by_role("alert")).to_contain_text("Your sign-in has ended")
    expect(chat.composer).to_have_count(0)
    issuer.order(gone=[])
    chat.button("Sign in").click()
    expect(chat.questions).to_have_count(1)
    expect(chat.composer).to_have_value(THOUGHT)
    assert chat.page.url == link


def test_an_issuer_that_is_not_reached_is_said_and_can_be_tried_again(chat, issuer, tolerated):
    tolerated.append("ERR_FAILED")
    visit(chat)
    chat.page.route(f"{issuer.url}/**", lambda route: route.abort())
    chat.button("Sign in").click()
    expect(chat.page.get_by_role("alert")).to_contain_text("cannot be reached")
    chat.page.unroute(f"{issuer.url}/**")
    sign_in(chat)


def test_an_account_that_may_not_chat_is_told_why_and_can_sign_out(chat, tolerated):
    tolerated.append("403")
    visit(chat)
    chat.page.route(
        "**/chatkit/session",
        lambda route: route.fulfill(status=403, json={"message": "Your address is not verified."}),
    )
    chat.button("Sign in").click()
    choose(chat.page, ADA)
    expect(chat.failure).to_contain_text("Your address is not verified.")
    chat.button("Sign out").click()
    chat.page.get_by_role("heading", name="Sign out?").wait_for()


def test_the_window_for_signing_in_says_that_it_can_be_closed_where_it_cannot_close_itself(chat):
    chat.page.goto(chat.server + "/sign-in")
    choose(chat.page, ADA)
    chat.page.get_by_role("heading", name="You are signed in").wait_for()
    chat.open()


def test_a_page_that_back_shows_after_somebody_signed_out_forgets_what_it_had(chat):
    visit(chat)
    sign_in(chat)
    chat.ask(QUESTION)
    # As if this window had not been there when another one signed out.
    chat.page.evaluate(
        """() => new Promise((resolve) => {
            indexedDB.deleteDatabase("chatkit.sign-in").onsuccess = resolve;
        })"""
    )
    expect(chat.questions).to_have_count(1)
    chat.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    expect(chat.button("Sign in")).to_be_visible()
    expect(chat.questions).to_have_count(0)
    assert chat.page.url == chat.server + "/"


def test_where_there_is_no_https_the_start_screen_says_so(chat):
    chat.page.add_init_script(
        """Object.defineProperty(window, "isSecureContext", {value: false});
        Object.defineProperty(crypto, "subtle", {value: undefined});"""
    )
    visit(chat)
    chat.button("Sign in").click()
    expect(chat.page.get_by_role("alert")).to_contain_text("begins with https")


def test_the_menu_works_by_keyboard_and_axe_finds_nothing_in_it(page, server, tolerated):
    for scheme in ("light", "dark"):
        chat = Chat(page(color_scheme=scheme, reduced_motion="reduce"), server.url)
        visit(chat)
        assert complaints(chat) == []
        sign_in(chat)
        account(chat).focus()
        chat.page.keyboard.press("Enter")
        expect(chat.button("Sign out")).to_be_visible()
        expect(chat.page.get_by_text("ada@example.com")).to_be_visible()
        assert complaints(chat) == []
        chat.page.keyboard.press("Tab")
        expect(chat.button("Sign out")).to_be_focused()
        chat.page.keyboard.press("Escape")
        expect(chat.button("Sign out")).to_be_hidden()
        expect(account(chat)).to_be_focused()


def test_the_deployed_page_s_content_policy_lets_people_sign_in(chat, issuer):
    policy = policy_with(issuer.url)
    under_policy = []
    # The page comes from this test, so the browser takes it for one of the internet.
    chat.page.context.grant_permissions(["local-network-access"])

    def served(route):
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, **policy})
        under_policy.append(route.request.url)

    chat.page.route(chat.server + "/", served)
    visit(chat)
    sign_in(chat)  # the console would have a line for everything that is blocked
    # The issuer has redirected to the page, and a redirect passes the route by.
    chat.page.reload()
    chat.composer.wait_for()
    make_renewal_due(chat.page)
    chat.ask(QUESTION)
    assert len(renewals(chat)) == 1
    assert under_policy == [chat.server + "/"] * 2


def policy_with(issuer):
    from aws_cdk import App, Environment, Stack
    from aws_cdk import aws_s3 as s3

    from infra.stack.cdn import content_security_policy

    stack = Stack(App(), "policy", env=Environment(account="123456789012", region="eu-west-1"))
    policy = content_security_policy(
        files_bucket=s3.Bucket.from_bucket_name(stack, "Files", "files"),
        frame_ancestors=[],
        image_sources=None,
        sign_in=[issuer],
    )
    return {"content-security-policy": policy}
