"""The built page in a browser, under the very policy that CloudFront sends with it."""

import re
from time import monotonic

import pytest
from playwright.sync_api import expect

from infra.cli.smoke import _png
from tests.e2e.chat_page import Chat
from tests.support.chromium import chromium
from tests.support.dev import of_the_run

SCRIPT = """
const frame = document.createElement("iframe");
frame.src = "https://cdn.platform.openai.com/deployments/chatkit/index.html";
document.body.append(frame);
fetch("https://api.openai.com/v1/chatkit/domain_keys/verify", { method: "POST" });
"""
ADD = "(tag, what) => { document.body.append(Object.assign(document.createElement(tag), what)) }"
FORBIDDEN = (
    "() => { fetch('https://elsewhere.example/').catch(() => {}) }",
    f"() => ({ADD})('script', {{src: 'https://elsewhere.example/x.js'}})",
    f"() => ({ADD})('iframe', {{src: 'https://elsewhere.example/'}})",
    f"() => ({ADD})('script', {{textContent: 'window.injected = true'}})",
)


@pytest.fixture(scope="module")
def policy(dev):
    """The template's own, where the files are on this machine and not in S3."""
    headers = dev.only("AWS::CloudFront::ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]
    sent = headers["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    text = "".join(p if isinstance(p, str) else "FILES" for p in sent["Fn::Join"][1])
    files = r"https://FILES\.s3(\.[\w-]+)?\.amazonaws\.com"
    local, found = re.subn(files, "http://127.0.0.1:*", text.replace("FILES.s3.FILES", "FILES.s3"))
    assert found
    return local.replace(" https:;", " http://127.0.0.1:*;")  # pictures, from anywhere


@pytest.fixture(scope="module")
def server(shared):
    return of_the_run(shared, "dev").url


@pytest.fixture
def visit(server, policy):
    """A chat under the policy. `visit.refused` holds what the browser blocked."""
    # Chromium takes a page that the test serves for a public one, which may not use addresses of
    # this machine.
    with chromium("--disable-features=LocalNetworkAccessChecks") as browser:
        page = browser.new_page()
        refused = []
        page.add_init_script(
            "document.addEventListener('securitypolicyviolation', (event) =>"
            " console.info('REFUSED', event.effectiveDirective, event.blockedURI))"
        )
        page.on(
            "console",
            lambda said: refused.append(said.text) if said.text.startswith("REFUSED") else None,
        )

        def serve(route):
            response = route.fetch()
            route.fulfill(
                response=response,
                headers={**response.headers, "content-security-policy": policy},
            )

        page.route(lambda url: url.rstrip("/") == server, serve)
        chat = Chat(page, server)
        chat.refused = refused
        yield chat


def test_the_page_works_without_being_refused_anything(visit):
    chat = visit.open()
    chat.page.locator('input[type="file"]').set_input_files(
        [{"name": "dot.png", "mimeType": "image/png", "buffer": _png()}]
    )
    expect(chat.page.locator('.composer .file[data-state="done"]')).to_have_count(1)
    chat.ask("What do you see?")
    chat.page.reload()
    image = chat.questions.first.get_by_role("img", name="dot.png")
    expect(image).to_be_visible()
    assert any("/chatkit-attachments/" in request.url for request in chat.requests)
    assert chat.refused == []


def test_chatkits_script_frame_and_api_are_allowed_and_no_others(visit):
    visit.script(SCRIPT)
    asked = []
    for host in ("api.openai.com", "elsewhere.example"):
        visit.page.route(
            f"https://{host}/**",
            lambda route: (asked.append(route.request.url), route.fulfill(body=""))[1],
        )
    visit.page.goto(visit.server)
    expect(visit.page.locator("body > iframe")).to_have_count(1)
    for made in FORBIDDEN:
        visit.page.evaluate(made)
    deadline = monotonic() + 10
    while len(visit.refused) < len(FORBIDDEN) and monotonic() < deadline:
        visit.page.wait_for_timeout(50)
    assert sorted(line.split()[1] for line in visit.refused) == [
        "connect-src",
        "frame-src",
        "script-src-elem",
        "script-src-elem",
    ]
    assert visit.page.evaluate("window.injected") is None
    assert [url.split("/")[2] for url in asked] == ["api.openai.com"]
