"""The smoke test passes on a working deployment, and names what is wrong with a broken one."""

import contextlib
import json
from functools import partial

import pytest
from starlette.datastructures import QueryParams
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import Message

from functions.actions.app import create_app as create_actions
from functions.chat.app import create_app
from functions.llm import demo_events
from functions.settings import Settings
from infra.cli.smoke import SmokeError, smoke
from tests.support.cloud import own_cloud
from tests.support.served import served

KEY = "k" * 32
CONFIG = b'{"model": {"name": "demo"}, "api": {"chat": "/chatkit", "actions": "/actions"}}'


@pytest.fixture(scope="module")
def cloud():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo_events, "PACE", 0.015)
        with own_cloud(patch, CHATKIT_COOKIE_KEY=KEY):
            yield


class Deployment:
    """The real chat app behind an edge with a page; a test overrides what it breaks."""

    def __init__(self):
        self.app = create_app(Settings(_env_file=None))

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        path = scope["path"]
        if path.startswith("/chatkit"):
            return await self.chat(scope, receive, send)
        if path == "/actions/health":
            return await Response(b'{"status": "ok"}')(scope, receive, send)
        if path == "/config.json":
            return await Response(CONFIG)(scope, receive, send)
        return await HTMLResponse("<html></html>")(scope, receive, send)

    async def chat(self, scope, receive, send):
        await self.app(scope, receive, send)


class Buffering(Deployment):
    """Holds an answer back until it is whole."""

    async def chat(self, scope, receive, send):
        held: list[Message] = []

        async def hold(message):
            held.append(message)

        await self.app(scope, receive, hold)
        body = b"".join(m.get("body", b"") for m in held)
        await send(held[0])
        await send({"type": "http.response.body", "body": body})


class Swallowing(Deployment):
    """Shows the page in place of the API's errors, as error pages of CloudFront do."""

    async def chat(self, scope, receive, send):
        status = 200

        async def swallow(message):
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            if status == 200:
                await send(message)
            elif message["type"] == "http.response.start":
                await HTMLResponse("<html></html>")(scope, receive, send)

        await self.app(scope, receive, swallow)


class Sharing(Deployment):
    """Takes everybody for the same person."""

    cookie = b""

    async def chat(self, scope, receive, send):
        headers = [(n, v) for n, v in scope["headers"] if n != b"cookie"]
        if Sharing.cookie:
            headers.append((b"cookie", Sharing.cookie))

        async def remember(message):
            for name, value in message.get("headers", []):
                if name == b"set-cookie":
                    Sharing.cookie = value.split(b";")[0]
            await send(message)

        await self.app({**scope, "headers": headers}, receive, remember)


class WithoutActions(Deployment):
    async def __call__(self, scope, receive, send):
        if scope.get("path") == "/actions/health":
            return await Response(b"{}", status_code=502)(scope, receive, send)
        return await super().__call__(scope, receive, send)


class Garbled(Deployment):
    """Answers with something that is not ChatKit's, as a foreign proxy in between would."""

    async def chat(self, scope, receive, send):
        if scope["path"] == "/chatkit":
            await HTMLResponse("<html></html>", 404)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class Overwriting(Deployment):
    """Lets an upload replace the one before it."""

    async def chat(self, scope, receive, send):
        async def change(message):
            if body := message.get("body"):
                message["body"] = body.replace(b'"If-None-Match":"*"', b'"x-none-match": "*"')
            await send(message)

        await self.app(scope, receive, change)


class Changing(Deployment):
    """Changes the headers that say which page sent a request, as a distribution may."""

    def __init__(self, **headers):
        super().__init__()
        self.headers = {name.encode(): value.encode() for name, value in headers.items()}

    async def chat(self, scope, receive, send):
        headers = [(n, self.headers.get(n, v)) for n, v in scope["headers"]]
        await self.app({**scope, "headers": headers}, receive, send)


def test_a_working_deployment_passes(cloud):
    lines = []
    with served(Deployment()) as url:
        smoke(url, lines.append)
    assert [line.split()[0] for line in lines] == ["page", "errors", "answer", "file", "stranger"]


class SignIn(Deployment):
    """People sign in here."""

    config = CONFIG[:-1] + b', "auth": "oidc", "anonymous": false}'

    def __init__(self):
        issuer = {"oidc_issuer": "http://127.0.0.1:9", "oidc_client_id": "page"}
        settings = Settings(_env_file=None, auth="oidc", **issuer)
        self.app, self.actions = create_app(settings), create_actions(settings)

    async def __call__(self, scope, receive, send):
        if scope.get("path") == "/config.json":
            return await Response(self.config)(scope, receive, send)
        if scope.get("path") == "/actions/cancel":
            return await self.actions(scope, receive, send)
        return await super().__call__(scope, receive, send)


class SignInForgotten(SignIn):
    """The second function knows nothing of it."""

    def __init__(self):
        super().__init__()
        self.actions = create_actions(Settings(_env_file=None))


def test_where_people_sign_in_only_that_is_checked(cloud):
    lines = []
    with served(SignIn()) as url:
        smoke(url, lines.append)
    assert [line.split()[0] for line in lines] == ["page", "sign-in"]


class Challenged(SignIn):
    """New visitors have to solve a challenge."""

    config = CONFIG[:-1] + b', "anonymous": true, "challenge": {"siteKey": "0x4"}}'

    def __init__(self):
        settings = Settings(_env_file=None, turnstile_site_key="0x4", turnstile_secret="s")
        self.app, self.actions = create_app(settings), create_actions(settings)


class ChallengeForgotten(Challenged):
    """The second function knows nothing of it."""

    def __init__(self):
        super().__init__()
        self.actions = create_actions(Settings(_env_file=None))


def test_where_visitors_solve_a_challenge_first_only_that_is_checked(cloud):
    lines = []
    with served(Challenged()) as url:
        smoke(url, lines.append)
    assert [line.split()[0] for line in lines] == ["page", "challenge"]


class Asking:
    """An issuer that sends people back to one address, and says otherwise what Cognito says."""

    def __init__(self):
        self.url = self.knows = ""

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return None
        if scope["path"] == "/pool/.well-known/openid-configuration":
            endpoint = f"{self.url}/oauth2/authorize"
            return await JSONResponse({"authorization_endpoint": endpoint})(scope, receive, send)
        asked = QueryParams(scope["query_string"])
        pkce = asked["code_challenge_method"] == "S256" and len(asked["code_challenge"]) == 43
        known = asked["redirect_uri"] == self.knows and asked["client_id"] == "page"
        place = "/login" if pkce and known else "/error?error=redirect_mismatch"
        return await RedirectResponse(f"{self.url}{place}")(scope, receive, send)


def test_the_issuer_is_asked_whether_people_may_come_from_the_page(cloud):
    issuer, page = Asking(), SignIn()
    with served(issuer) as issuer.url, served(page) as url:
        sign_in = {"issuer": f"{issuer.url}/pool", "clientId": "page", "scope": "openid"}
        page.config = json.dumps({**json.loads(page.config), "signIn": sign_in}).encode()
        issuer.knows = f"{url}/signed-in"
        lines = []
        smoke(url, lines.append)
        assert [line.split()[0] for line in lines] == ["page", "issuer", "sign-in"]
        issuer.knows = "https://another.example/signed-in"
        with pytest.raises(SmokeError, match="the issuer refuses sign-in from http"):
            smoke(url, lines.append)


@pytest.mark.parametrize(
    ("deployment", "says"),
    [
        (SignInForgotten, "POST /actions/cancel without a token was answered 4"),
        (ChallengeForgotten, "POST /actions/cancel without a challenge was answered 4"),
        (Buffering, "something buffers it"),
        (Swallowing, "an unknown thread was answered 200"),
        (Sharing, "a stranger sees our thread"),
        (Overwriting, "a second upload by the same link was answered 200"),
        (WithoutActions, "GET /actions/health was answered 502"),
        (Garbled, "an answer is not ChatKit's: JSONDecodeError"),
        (
            partial(Changing, origin="http://elsewhere.example", host="elsewhere.example"),
            "a page on another site was answered 404",
        ),
        (partial(Changing, host="elsewhere.example"), "POST /chatkit/session was answered 403"),
    ],
)
def test_each_fault_is_named(cloud, deployment, says):
    with served(deployment()) as url, pytest.raises(SmokeError, match=says):
        smoke(url, lambda _: None)


def test_an_address_without_a_server_is_one_sentence():
    with pytest.raises(SmokeError, match="cannot be reached"):
        smoke("http://127.0.0.1:9", lambda _: None)


def test_a_wrong_address_is_named(capsys, monkeypatch):
    from infra.cli import smoke as program

    monkeypatch.setattr("sys.argv", ["smoke", "example.com"])
    with pytest.raises(SystemExit) as ended, contextlib.suppress(KeyboardInterrupt):
        program.main()
    assert "is not an address" in str(ended.value)
