"""When something fails, the visitor reads why and keeps what they wrote."""

import pytest
from chat_page import Chat
from phrases import ANSWER, CARD, CARD_BOX, QUESTION
from playwright.sync_api import expect

pytestmark = pytest.mark.page


@pytest.fixture
def chat(page, server, tolerated):
    tolerated.append("Failed to load resource")  # the browser logs this for every refusal
    return Chat(page(), server)


def refuse(chat, url, status=0, message=""):
    def answer(route):
        if status:
            route.fulfill(status=status, json={"message": message})
        else:
            route.abort()

    chat.page.route(chat.server + url, answer)


def posts(chat, path="/chatkit"):
    return [r for r in chat.requests if r.method == "POST" and r.url == chat.server + path]


def test_without_the_cdn_the_stand_in_takes_over_and_says_so(chat):
    chat.open()
    banner = chat.banner("stand-in")
    expect(banner.locator("p")).not_to_be_empty()
    banner.get_by_role("button").click()
    expect(banner).to_have_count(0)


def test_the_stand_in_takes_over_when_the_script_defines_nothing_in_time(chat):
    chat.page.clock.install()
    chat.script("// loads, and defines nothing")
    chat.page.goto(chat.server)
    expect(chat.page.locator(".loading[role='status']")).to_be_visible()
    chat.page.wait_for_function("document.querySelector('script[src*=chatkit]')")
    chat.page.clock.run_for(9_000)
    chat.page.clock.resume()
    chat.composer.wait_for()
    expect(chat.banner("stand-in")).to_be_visible()


DRIVEN = """
customElements.define("openai-chatkit", class extends HTMLElement {
    setOptions(options) { window.given = options; this.style.display = "HOW"; }
    async fetchUpdates() {}
    async setThreadId() {}
});
"""


def test_the_element_of_the_cdn_gets_the_same_options(chat):
    chat.script(DRIVEN.replace("HOW", "block"))
    chat.page.goto(chat.server + "/?thread=thr_1")
    chat.page.wait_for_function("window.given")
    given = chat.page.evaluate("JSON.parse(JSON.stringify(window.given))")
    assert given["api"]["url"] == "/chatkit"
    assert given["api"]["domainKey"] == "local-dev"
    assert given["api"]["uploadStrategy"] == {"type": "two_phase"}
    assert given["initialThread"] == "thr_1"
    assert given["composer"]["attachments"]["maxCount"] == 10
    expect(chat.page.locator(".banner")).to_have_count(0)
    chat.page.evaluate("""given.api.fetch("/chatkit", {
        method: "POST", body: JSON.stringify({type: "threads.list", params: {}}),
        headers: {"content-type": "application/json"}}).then(r => r.json())""")
    assert posts(chat)[-1].headers["x-amz-content-sha256"]


POSTED = """async () => {
    const ask = async (type, params) => (await given.api.fetch("/chatkit", {
        method: "POST", body: JSON.stringify({type, params}),
        headers: {"content-type": "application/json"}}));
    const file = new File(["let walnuts = 7;"], "main.ts", {type: "video/mp2t"});
    const made = await (await ask("attachments.create",
        {name: file.name, size: file.size, mime_type: file.type})).json();
    const body = new FormData();
    body.append("file", file);
    const uploaded = await given.api.fetch(made.upload_descriptor.url, {method: "POST", body});
    const sent = await ask("threads.create", {input: {attachments: [made.id], inference_options: {},
        content: [{type: "input_text", text: "Look"}]}});
    return [uploaded.status, sent.status, await sent.text()];
}"""


def test_a_file_that_the_element_posts_as_a_form_arrives(chat):
    chat.script(DRIVEN.replace("HOW", "block"))
    chat.page.goto(chat.server)
    chat.page.wait_for_function("window.given")
    uploaded, sent, events = chat.page.evaluate(POSTED)
    assert (uploaded, sent) == (200, 200)
    assert "main.ts" in events
    assert '"type":"error"' not in events


def test_logs_of_the_element_of_the_cdn_reach_the_server_without_the_visitor_s_words(chat):
    chat.script(DRIVEN.replace("HOW", "block"))
    chat.page.goto(chat.server)
    chat.page.wait_for_function("window.given")

    def logged(event, detail):
        with chat.page.expect_request(chat.server + "/chatkit/log") as request:
            chat.page.evaluate(
                """([event, detail]) => {
                    if (detail.message) {
                        detail = { error: Object.assign(new TypeError(detail.message), detail) };
                    }
                    document.querySelector("openai-chatkit")
                        .dispatchEvent(new CustomEvent(event, { detail }));
                }""",
                [event, detail],
            )
        assert request.value.response().status == 204
        return request.value.post_data_json

    assert logged(
        "chatkit.log",
        {"name": "composer.submit", "data": {"text": "My secret words", "length": 15}},
    ) == {"level": "info", "event": "composer.submit", "detail": {"length": 15}}
    assert logged("chatkit.error", {"message": "No such thing as My secret", "status": 422}) == {
        "level": "error",
        "event": "chatkit_error",
        "detail": {"name": "TypeError", "status": 422},
    }


def test_an_element_that_hides_itself_is_explained(chat):
    chat.script(DRIVEN.replace("HOW", "none"))
    chat.page.goto(chat.server)
    expect(chat.banner("domain-key")).to_contain_text("127.0.0.1")


def test_a_server_that_is_down_when_the_page_opens_is_explained_and_can_be_tried_again(chat):
    refuse(chat, "/chatkit/session")
    chat.page.goto(chat.server)
    expect(chat.failure).to_have_attribute("data-problem", "down")
    chat.page.unroute(chat.server + "/chatkit/session")
    chat.failure.get_by_role("button").click()
    chat.composer.wait_for()


def test_a_session_that_is_refused_when_the_page_opens_is_explained(chat):
    refuse(chat, "/chatkit/session", 401, "This link needs an account.")
    chat.page.goto(chat.server)
    expect(chat.failure).to_have_attribute("data-problem", "session")
    expect(chat.failure).to_contain_text("This link needs an account.")


def test_a_refused_message_is_explained_and_returns_to_the_composer(chat):
    chat.open()
    refuse(chat, "/chatkit", 429, "That was a lot. Please wait a minute.")
    chat.send("My precious text")
    expect(chat.page.get_by_role("alert")).to_contain_text("Please wait a minute")
    expect(chat.composer).to_have_value("My precious text")
    assert len(posts(chat)) == 1


@pytest.mark.parametrize("answer", ["5xx", "no stream"])
def test_a_request_that_fails_is_sent_five_more_times_with_the_same_run_id(chat, answer):
    chat.open()
    if answer == "5xx":
        refuse(chat, "/chatkit", 503, "internal detail")
    else:
        page = {"status": 200, "content_type": "text/html", "body": "<p>internal detail</p>"}
        chat.page.route(chat.server + "/chatkit", lambda route: route.fulfill(**page))
    chat.page.clock.install()
    chat.send("My precious text")
    for _ in range(60):
        chat.page.clock.run_for(1_000)
        for request in posts(chat):
            request.response()  # the page's clock must not run ahead of a slow machine
        if len(posts(chat)) == 6:
            break
    chat.page.clock.resume()
    expect(chat.page.get_by_role("alert")).to_contain_text("Something went wrong")
    expect(chat.page.get_by_text("internal detail")).to_have_count(0)
    expect(chat.composer).to_have_value("My precious text")
    assert len(posts(chat)) == 6
    assert len({r.headers["x-chatkit-run-id"] for r in posts(chat)}) == 1


def test_an_expired_session_is_renewed_without_a_message(chat):
    chat.open()
    answered = []

    def once(route):
        answered.append(route.request.url)
        if len(answered) == 1:
            route.fulfill(status=401, json={"message": "no"})
        else:
            route.continue_()

    chat.page.route(chat.server + "/chatkit", once)
    chat.ask(QUESTION)
    expect(chat.answers.last).to_contain_text(ANSWER)
    assert len(posts(chat, "/chatkit/session")) == 2
    expect(chat.banner("session")).to_have_count(0)


def test_a_session_that_cannot_be_renewed_is_explained_and_the_text_stays(chat):
    chat.open()
    refuse(chat, "/chatkit", 401, "Your sign-in has expired.")
    chat.send("My precious text")
    expect(chat.banner("session")).to_be_visible()
    expect(chat.composer).to_have_value("My precious text")
    chat.page.unroute(chat.server + "/chatkit")
    chat.composer.press("Enter")
    chat.settle()
    expect(chat.banner("session")).to_have_count(0)


def test_being_offline_is_explained_and_the_text_stays(chat):
    chat.open()
    chat.page.context.set_offline(True)
    expect(chat.banner("offline")).to_be_visible()
    chat.send(QUESTION)
    expect(chat.page.get_by_role("alert")).to_contain_text("You are offline")
    expect(chat.composer).to_have_value(QUESTION)
    chat.page.context.set_offline(False)
    expect(chat.banner("offline")).to_have_count(0)
    chat.composer.press("Enter")
    expect(chat.answers.last).to_contain_text(ANSWER, timeout=30_000)


def test_a_widget_action_that_is_refused_changes_nothing(chat):
    chat.open()
    chat.ask(CARD)
    refuse(chat, "/actions", 409, "Somebody else was faster.")
    box = chat.widgets.last.get_by_label(CARD_BOX)
    box.click()
    expect(chat.page.get_by_role("alert")).to_contain_text("Somebody else was faster.")
    expect(box).not_to_be_checked()


def test_errors_are_reported_to_the_server_without_the_visitor_s_words(chat):
    chat.open()
    refuse(chat, "/chatkit", 422, "No such thing as My secret.")
    with chat.page.expect_request(chat.server + "/chatkit/log") as request:
        chat.send("My secret")
    entry = request.value.post_data_json
    assert entry["level"] == "error"
    assert entry["detail"] == {"name": "ApiError", "status": 422}
    assert request.value.response().status == 204
