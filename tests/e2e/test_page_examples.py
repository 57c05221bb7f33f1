"""The page without a framework, bundled and served as an adopter does it."""

import functools
import json
import re
import subprocess
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx2
import pytest
from chat_page import Chat
from phrases import ANSWER, CARD, CARD_BOX, CARD_OPEN, QUESTION
from playwright.sync_api import expect

from tests.support.dev import ROOT, Dev

README = ROOT / "frontend" / "src" / "chatkit" / "README.md"
STAND_IN = """
import { build } from "vite";
await build({
    configFile: false, publicDir: false, logLevel: "error",
    build: {
        outDir: process.argv[1], emptyOutDir: false, target: "es2022",
        lib: { entry: "src/standin/index.ts", formats: ["es"], fileName: "standin" },
        rolldownOptions: { output: { codeSplitting: false } },
    },
});
"""


def npm(*arguments):
    subprocess.run(
        [sys.executable, "infra/local/setup.py", "npm", *arguments], cwd=ROOT, check=True
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files on an adopter's web server, and the stand-in, which replaces `chatkit.js`."""
    out = tmp_path_factory.mktemp("examples")
    config = ["--config", "examples/vite.config.ts", "--logLevel", "error"]
    npm("exec", "--", "vite", "build", *config, "--outDir", str(out))
    npm("exec", "-c", f"node --input-type=module -e '{STAND_IN}' {out}")
    (snippet,) = re.findall(r"```html\n(.*?)```", README.read_text(), re.DOTALL)
    (out / "snippet.html").write_text(f"<!doctype html><title>Snippet</title>{snippet}")
    return out


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def elsewhere(folder):
    """Serves the folder on another origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module", params=["dev", "lambda"])
def api(request, elsewhere):
    """A server that allows pages of the other origin."""
    with Dev(request.param, CHATKIT_ALLOWED_ORIGINS=elsewhere) as running:
        yield running.url


def visit(page, origin):
    """Opens a window in which the CDN serves the stand-in as `chatkit.js`."""
    chat = Chat(page(), origin)
    chat.script(f'import("{origin}/standin.js").then((made) => made.defineStandIn());')
    return chat


def put(chat, folder, *names):
    """Serves the adopter's files on the server's own origin."""

    def give(route):
        route.fulfill(path=folder / route.request.url.rpartition("/")[2])

    for name in names:
        chat.page.route(f"{chat.server}/{name}", give)


@pytest.mark.page
def test_the_example_page_works_on_the_server_s_own_origin(page, server, folder):
    chat = visit(page, server)
    put(chat, folder, "plain.html", "chatkit-serverless.js", "standin.js")
    chat.open("/plain.html")
    expect(chat.page.get_by_role("heading", name="Hello from plain HTML")).to_be_visible()
    chat.ask(QUESTION)
    expect(chat.answers.last).to_contain_text(ANSWER)


@pytest.mark.page
def test_the_example_page_says_what_is_wrong(page, server, folder):
    chat = visit(page, server)
    put(chat, folder, "plain.html", "chatkit-serverless.js")
    chat.script(None)
    chat.page.goto(server + "/plain.html")
    alert = chat.page.get_by_role("alert")
    expect(alert).to_have_text("chatkit.js could not be loaded.")
    expect(alert).to_be_in_viewport()


SIGN_IN = """<!doctype html><title>Sign-in</title>
<openai-chatkit id="chat"></openai-chatkit>
<script type="module">
    import * as kit from "./chatkit-serverless.js";
    window.asked = [];
    const getToken = ({ refresh }) => {
        asked.push(refresh);
        return refresh ? "second" : "first";
    };
    const config = await kit.loadConfig();
    const session = kit.createSession({ api: config.api, getToken });
    const visitor = await session.open();
    await kit.loadChatKitScript(config.chatkitScript);
    document.getElementById("chat").setOptions(kit.chatKitOptions({
        config, session: visitor, fetch: kit.createChatKitFetch({ api: config.api, ...session }),
        scheme: "light", initialThread: null, assistant: {},
    }));
</script>"""


@pytest.mark.page
def test_a_token_of_the_page_is_sent_and_renewed_once_after_a_401(page, server, folder, tolerated):
    tolerated.append("401")
    (folder / "sign-in.html").write_text(SIGN_IN)
    chat = visit(page, server)
    put(chat, folder, "sign-in.html", "chatkit-serverless.js", "standin.js")
    chat.open("/sign-in.html")
    sent = []

    def expired(route):
        sent.append(route.request)
        if len(sent) == 1:
            route.fulfill(status=401, json={"message": "expired"})
        else:
            route.continue_()

    chat.page.route(f"{server}/chatkit", expired)
    asked_before = chat.page.evaluate("asked.length")
    chat.ask(QUESTION)
    expect(chat.answers.last).to_contain_text(ANSWER)
    tokens = [request.headers["x-chatkit-authorization"] for request in sent[:2]]
    assert tokens == ["Bearer first", "Bearer second"]
    assert sent[0].post_data == sent[1].post_data
    assert sent[0].headers["x-chatkit-run-id"] == sent[1].headers["x-chatkit-run-id"]
    assert chat.page.evaluate("asked")[asked_before : asked_before + 2] == [False, True]


def test_the_page_in_the_readme_works_on_another_origin_with_a_session_token(
    page, api, elsewhere, folder
):
    config = httpx2.get(f"{api}/config.json").json()
    config["api"] = {name: api + path for name, path in config["api"].items()}
    (folder / "chatkit.json").write_text(json.dumps(config))
    chat = visit(page, elsewhere)
    chat.open("/snippet.html")
    chat.ask(CARD)
    chat.widgets.last.get_by_label(CARD_BOX).click()
    expect(chat.widgets.last).to_contain_text(CARD_OPEN.format(2))
    (asked,) = chat.operations("threads.create")
    assert asked.url == f"{api}/chatkit"
    assert asked.headers["x-chatkit-authorization"].startswith("Bearer ")
    chat.page.reload()
    chat.button("Conversations").click()
    expect(chat.page.locator(".threads li")).to_have_count(1)
