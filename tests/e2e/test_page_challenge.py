"""Somebody new solves a challenge before they chat; whoever is known never sees it."""

import re
from dataclasses import dataclass

import pytest
from chat_page import Chat, complaints
from phrases import QUESTION
from playwright.sync_api import expect
from sign_in import sign_in

from tests.support.dev import Dev
from tests.support.oidc_provider import free_port_for_both, oidc_provider
from tests.support.turnstile import SECRET, SITE_KEY, Turnstile, refusal, turnstile

CLOUDFLARE = re.compile(r"^https://challenges\.cloudflare\.com/")
THOUGHT = "A long thought that nobody wants to type twice"

pytestmark = pytest.mark.page


@dataclass
class Place:
    """A page and the fake that stands for Cloudflare."""

    url: str
    cloudflare: Turnstile


def variables(fake):
    return {
        "CHATKIT_TURNSTILE_SITE_KEY": SITE_KEY,
        "CHATKIT_TURNSTILE_SECRET": SECRET,
        "CHATKIT_TURNSTILE_VERIFY_URL": fake.verify_url,
    }


@pytest.fixture(scope="module")
def server(request):
    with turnstile() as fake, Dev(request.param, **variables(fake)) as dev:
        yield Place(dev.url, fake)


@pytest.fixture
def cloudflare(server):
    server.cloudflare.broken.clear()
    server.cloudflare.asked.clear()
    return server.cloudflare


def with_cloudflare(page, fake):
    """Lead what the browser asks Cloudflare to the fake."""

    def lead(route):
        address = CLOUDFLARE.sub(f"{fake.url}/", route.request.url)
        route.fulfill(response=route.fetch(url=address))

    page.route(CLOUDFLARE, lead)
    return page


@pytest.fixture
def chat(page, server, cloudflare, tolerated):
    tolerated.append("401")  # a browser's console has a line for each
    return Chat(with_cloudflare(page(), cloudflare), server.url)


def widget(chat):
    return chat.page.frame_locator("iframe[title='A check']")


def press(chat, name):
    """Press a button of the widget. The page may remove the frame at once, and a click of the mouse
    would wait for the frame's answer.
    """
    widget(chat).get_by_role("button", name=name).dispatch_event("click")


def solve(chat):
    press(chat, "I am a person")


def heading(chat):
    return chat.page.get_by_role("heading", name="Are you a person?")


def test_somebody_new_solves_it_once_and_chats(chat, cloudflare):
    chat.page.goto(chat.server)
    expect(heading(chat)).to_be_visible()
    expect(chat.composer).to_have_count(0)
    solve(chat)
    chat.composer.wait_for(timeout=15_000)
    expect(heading(chat)).to_have_count(0)
    chat.ask(QUESTION)
    expect(chat.answers).not_to_have_count(0)
    chat.page.reload()
    expect(chat.answers).not_to_have_count(0)
    assert len(cloudflare.asked) == 1
    scripts = [r for r in chat.requests if "api.js" in r.url]
    assert [r.url for r in scripts] == [
        "https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit"
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_seen_heard_and_reached_by_keyboard(page, server, cloudflare, tolerated, scheme):
    tolerated.append("401")
    options = {"color_scheme": scheme, "viewport": {"width": 320, "height": 640}}
    chat = Chat(with_cloudflare(page(**options), cloudflare), server.url)
    chat.page.goto(chat.server)
    button = widget(chat).get_by_role("button", name="I am a person")
    button.wait_for()
    assert complaints(chat) == []
    expect(chat.page.get_by_role("region", name="Are you a person?")).to_be_visible()
    for _ in range(6):
        chat.page.keyboard.press("Tab")
        if button.evaluate("(one) => one === one.ownerDocument.activeElement"):
            break
    chat.page.keyboard.press("Enter")
    chat.composer.wait_for(timeout=15_000)


def test_a_challenge_that_fails_says_so_and_can_be_tried_again(chat):
    chat.page.goto(chat.server)
    press(chat, "Fail")
    expect(chat.failure).to_contain_text("The check failed (300010).")
    assert complaints(chat) == []
    chat.button("Try again").click()
    solve(chat)
    chat.composer.wait_for(timeout=15_000)


def test_a_token_that_is_refused_says_so_and_asks_nothing_by_itself(chat, cloudflare):
    async def refuses(_asked, _fake):
        return refusal("timeout-or-duplicate")

    cloudflare.broken.append(refuses)
    chat.page.goto(chat.server)
    solve(chat)
    expect(chat.failure).to_contain_text("did not succeed")
    expect(heading(chat)).to_have_count(0)
    chat.button("Try again").click()
    solve(chat)
    chat.composer.wait_for(timeout=15_000)
    assert len(cloudflare.asked) == 2


def test_a_verification_that_nobody_answers_says_that_it_is_not_the_visitors_fault(
    chat, cloudflare, tolerated
):
    async def fails(_asked, _fake):
        return refusal("internal-error")

    tolerated.append("424")
    cloudflare.broken += [fails, fails]
    chat.page.goto(chat.server)
    solve(chat)
    expect(chat.failure).to_contain_text("cannot check right now that you are a person")
    chat.button("Try again").click()
    solve(chat)
    chat.composer.wait_for(timeout=15_000)


def test_a_script_that_is_blocked_is_said(chat, tolerated):
    tolerated.append("ERR_FAILED")
    chat.page.unroute(CLOUDFLARE)
    chat.page.route(CLOUDFLARE, lambda route: route.abort())
    chat.page.goto(chat.server)
    expect(chat.failure).to_contain_text("could not be loaded")


def test_who_is_no_longer_known_in_mid_chat_solves_it_there_and_no_word_is_lost(chat):
    chat.page.goto(chat.server)
    solve(chat)
    chat.composer.wait_for(timeout=15_000)
    chat.page.context.clear_cookies()
    chat.send(THOUGHT)
    expect(heading(chat)).to_be_visible()
    assert complaints(chat) == []
    press(chat, "Fail")
    expect(chat.banner("challenge")).to_contain_text("your text is still here")
    expect(chat.composer).to_have_value(THOUGHT)
    assert complaints(chat) == []
    chat.composer.press("Enter")
    solve(chat)
    expect(chat.questions).to_contain_text(THOUGHT)
    chat.settle()
    expect(chat.answers).not_to_have_count(0)
    expect(chat.banner("challenge")).to_have_count(0)


def test_the_deployed_page_s_content_policy_lets_it_be_solved(chat):
    policy = policy_with_challenge()
    # The page comes from this test, so the browser takes it for one of the internet.
    chat.page.context.grant_permissions(["local-network-access"])

    def served(route):
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, **policy})

    chat.page.route(f"{chat.server}/", served)
    chat.page.goto(chat.server)
    solve(chat)  # the console would have a line for everything that is blocked
    chat.composer.wait_for(timeout=15_000)


def policy_with_challenge():
    from aws_cdk import App, Environment, Stack
    from aws_cdk import aws_s3 as s3

    from infra.stack.cdn import content_security_policy

    stack = Stack(App(), "policy", env=Environment(account="123456789012", region="eu-west-1"))
    policy = content_security_policy(
        files_bucket=s3.Bucket.from_bucket_name(stack, "Files", "files"),
        frame_ancestors=[],
        image_sources=None,
        sign_in=[],
        challenge=True,
    )
    return {"content-security-policy": policy}


def test_where_people_may_sign_in_that_takes_the_place_of_the_challenge(
    page, cloudflare, tolerated
):
    tolerated.append("401")
    port = free_port_for_both()
    with (
        oidc_provider(port) as issuer,
        Dev(
            "dev",
            port=port,
            **{**issuer.variables, **variables(cloudflare), "CHATKIT_OIDC_OPTIONAL": "true"},
        ) as dev,
    ):
        chat = Chat(with_cloudflare(page(), cloudflare), dev.url)
        chat.page.goto(dev.url)
        widget(chat).get_by_role("button", name="I am a person").wait_for()
        assert complaints(chat) == []
        sign_in(chat)
        assert cloudflare.asked == []
        # Somebody else solves it, and may sign in afterwards.
        visitor = Chat(with_cloudflare(page(), cloudflare), dev.url)
        visitor.page.goto(dev.url)
        solve(visitor)
        visitor.composer.wait_for(timeout=15_000)
        expect(visitor.button("Sign in")).to_be_visible()


def test_a_page_without_the_setting_loads_nothing_of_it(page, emulated):
    chat = Chat(page(), emulated.url).open()
    loaded = [request.url for request in chat.requests]
    assert not [url for url in loaded if "cloudflare" in url or "Challenge" in url]
