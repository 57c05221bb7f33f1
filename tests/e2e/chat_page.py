"""Drives the page as a visitor does."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, Request, Route, expect

CDN = re.compile(r"^https://cdn\.platform\.openai\.com/")
BUILT_SCRIPT = re.compile(r"/assets/([\w-]+)-[\w-]{8}\.js")
ANSWER_WITHIN_MS = 30_000
AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"

expect.set_options(timeout=10_000)


@dataclass
class Chat:
    """One visitor's window."""

    page: Page
    server: str
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", self._see)
        self.script(None)

    def _see(self, request: Request) -> None:
        self.requests.append(request)

    @property
    def scripts(self) -> set[str]:
        """The names of the page's scripts that it has asked for, without their digests."""
        paths = (urlsplit(request.url).path for request in self.requests)
        return {match[1] for path in paths if (match := BUILT_SCRIPT.fullmatch(path))}

    def script(self, text: str | None) -> None:
        """Sets the content of `chatkit.js` on the CDN. With None the CDN cannot be reached."""
        self.page.unroute(CDN)

        def serve(route: Route) -> None:
            if text is None:
                route.abort()
            else:
                route.fulfill(body=text, content_type="text/javascript")

        self.page.route(CDN, serve)

    def open(self, path: str = "/") -> "Chat":
        self.page.goto(self.server + path)
        self.composer.wait_for(timeout=15_000)
        return self

    def draw_each_event(self) -> None:
        """Draw after each event instead of once a frame, so that no state is skipped. Starts with
        the next load.
        """
        self.page.add_init_script("window.requestAnimationFrame = (draw) => queueMicrotask(draw)")

    @property
    def composer(self) -> Locator:
        return self.page.locator("textarea[data-composer]")

    @property
    def prompts(self) -> Locator:
        return self.page.locator(".prompt")

    @property
    def failure(self) -> Locator:
        """The screen that is shown when there is no chat."""
        return self.page.locator(".failure[role='alert']")

    def banner(self, name: str) -> Locator:
        return self.page.locator(f'[data-banner="{name}"]')

    @property
    def usage(self) -> Locator:
        """The line of the visitor's own use."""
        return self.page.locator(".usage")

    @property
    def stop(self) -> Locator:
        return self.page.get_by_role("button", name="Stop")

    @property
    def answers(self) -> Locator:
        return self.page.locator('[data-item="assistant_message"]')

    @property
    def questions(self) -> Locator:
        return self.page.locator('[data-item="user_message"]')

    @property
    def widgets(self) -> Locator:
        return self.page.locator('[data-item="widget"]')

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def send(self, text: str) -> None:
        self.composer.fill(text)
        self.composer.press("Enter")

    def ask(self, text: str) -> None:
        """Send a message, and wait for the whole answer."""
        before = self.questions.count()
        self.send(text)
        expect(self.questions).to_have_count(before + 1)
        self.settle()

    def new_conversation(self) -> None:
        """Press the button, and wait until the messages of the old conversation are gone."""
        self.button("New conversation").click()
        expect(self.questions).to_have_count(0)

    def settle(self) -> None:
        """Wait until nothing streams and the server has saved the message."""
        expect(self.page.locator(".scroller")).to_have_attribute(
            "aria-busy", "false", timeout=ANSWER_WITHIN_MS
        )
        expect(self.page.locator("[data-pending]")).to_have_count(0)

    @property
    def thread(self) -> str | None:
        found = re.search(r"[?&]thread=([^&]+)", self.page.url)
        return found[1] if found else None

    def operations(self, kind: str) -> list[Request]:
        return [
            request
            for request in self.requests
            if request.method == "POST" and f'"type":"{kind}"' in (request.post_data or "")
        ]

    def watch(self, look: Callable[[], str], until: Callable[[str], bool]) -> list[str]:
        """The different results of `look`, in their order, until `until` accepts one."""
        seen: list[str] = []
        deadline = monotonic() + ANSWER_WITHIN_MS / 1_000
        while monotonic() < deadline:
            state = look()
            if not seen or seen[-1] != state:
                seen.append(state)
            if until(state):
                return seen
            self.page.wait_for_timeout(20)
        raise AssertionError(f"never came to an end: {seen[-1:]}")

    def collect(self, selector: str) -> Callable[[], list[str]]:
        """Collects the texts of elements with this selector, also of short-lived ones."""
        self.page.evaluate(
            """(selector) => {
                const root = document.querySelector("openai-chatkit").shadowRoot;
                window.collected = new Set();
                const look = () => {
                    for (const found of root.querySelectorAll(selector)) {
                        window.collected.add(found.textContent.trim());
                    }
                };
                new MutationObserver(look).observe(root, {
                    childList: true, subtree: true, characterData: true,
                });
            }""",
            selector,
        )
        return lambda: self.page.evaluate("[...window.collected]")


def complaints(chat):
    """The serious problems that axe finds, as text."""
    chat.page.evaluate(AXE.read_text())
    result = chat.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in result["violations"]
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"]
    ]
