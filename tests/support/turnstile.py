"""A small fake of Cloudflare's Turnstile: the endpoint that verifies, and the widget's script.

It answers as Cloudflare's documentation says:
https://developers.cloudflare.com/turnstile/get-started/server-side-validation/
"""

import asyncio
import time
from contextlib import contextmanager
from secrets import token_hex

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response

from tests.support.served import served

SITE_KEY = "0x4AAA-test-widget"
SECRET = "0x4BBB-test-secret"
ACTION = "chatkit_session"
VALID_SECONDS = 300

SCRIPT = """
window.turnstile = {
    render(element, options) {
        const frame = document.createElement("iframe");
        const asked = { sitekey: options.sitekey, action: options.action ?? "",
            hostname: location.hostname };
        frame.title = "A check";
        frame.width = "300";
        frame.height = "65";
        frame.style.border = "0";
        const widget = "https://challenges.cloudflare.com/turnstile/v0/widget";
        frame.src = `${widget}?${new URLSearchParams(asked)}`;
        const heard = (event) => {
            if (event.source !== frame.contentWindow) return;
            if (event.data.token) options.callback(event.data.token);
            else options["error-callback"](event.data.error);
        };
        addEventListener("message", heard);
        element.append(frame);
        frame.remove_ = () => { removeEventListener("message", heard); frame.remove(); };
        window.turnstile.frames.push(frame);
        return String(window.turnstile.frames.length - 1);
    },
    remove(id) { window.turnstile.frames[Number(id)].remove_(); },
    frames: [],
};
"""
"""The part of `api.js` that the page uses. The challenge is a button in a frame of Cloudflare's."""

WIDGET = """<!doctype html><html lang="en"><title>A check</title>
<button id="person">I am a person</button> <button id="broken">Fail</button>
<script>
const said = (message) => parent.postMessage(message, "*");
person.onclick = async () => {
    const answer = await fetch("/turnstile/v0/solve" + location.search, { method: "POST" });
    said({ token: await answer.text() });
};
broken.onclick = () => said({ error: "300010" });
</script></html>
"""


class Turnstile:
    """Gives tokens and verifies them. Tests change `broken`."""

    def __init__(self):
        self.url = ""
        self.asked = []
        """The requests to verify, in their order."""
        self.broken = []
        """Functions that answer the next requests to verify in place of the endpoint."""
        self._tokens = {}
        self._used = {}
        self.app = Starlette()
        self.app.add_route("/turnstile/v0/siteverify", self._verify, methods=["POST"])
        self.app.add_route("/turnstile/v0/api.js", self._script)
        self.app.add_route("/turnstile/v0/widget", self._widget)
        self.app.add_route("/turnstile/v0/solve", self._solve, methods=["POST"])

    @property
    def verify_url(self):
        return f"{self.url}/turnstile/v0/siteverify"

    def token(self, *, hostname="chat.example", action=ACTION, age=0):
        """The token of a challenge that was solved so many seconds ago."""
        token = f"0.{token_hex(40)}"
        self._tokens[token] = {"hostname": hostname, "action": action, "at": time.time() - age}
        return token

    async def _verify(self, request):
        asked = await request.json()
        self.asked.append(asked)
        if self.broken:
            return await self.broken.pop(0)(asked, self)
        return self.verdict(asked)

    def verdict(self, asked):
        if asked.get("secret") != SECRET:
            return refusal("invalid-input-secret")
        token, key = asked.get("response"), asked.get("idempotency_key")
        found = self._tokens.get(token)
        if found is None:
            return refusal("invalid-input-response")
        if time.time() - found["at"] > VALID_SECONDS:
            return refusal("timeout-or-duplicate")
        if self._used.setdefault(token, key) != key or key is None:
            return refusal("timeout-or-duplicate")
        return JSONResponse(
            {
                "success": True,
                "error-codes": [],
                "challenge_ts": "2026-01-02T03:04:05.678Z",
                "hostname": found["hostname"],
                "action": found["action"],
                "cdata": "",
                "metadata": {"interactive": False},
            }
        )

    async def _script(self, _):
        return Response(SCRIPT, media_type="text/javascript")

    async def _widget(self, _):
        return HTMLResponse(WIDGET)

    async def _solve(self, request):
        query = request.query_params
        assert query["sitekey"] == SITE_KEY
        return Response(self.token(hostname=query["hostname"], action=query["action"]))


def refusal(*codes, status=200, **more):
    return JSONResponse({"success": False, "error-codes": list(codes), **more}, status)


async def never(_asked, _fake):
    await asyncio.Event().wait()


async def lost(asked, fake):
    """Verify, and lose the answer on its way."""
    fake.verdict(asked)
    return Response("bad gateway", 502)


@contextmanager
def turnstile():
    """A new fake, served over HTTP."""
    fake = Turnstile()
    with served(fake.app) as url:
        fake.url = url
        yield fake
