"""An anonymous identity is made only for a challenge that Cloudflare has verified for this chat."""

import asyncio
import json
import logging

import pytest
from fastapi.routing import iter_route_contexts
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from functions.aws.secret_values import SecretUnavailableError
from functions.errors import PublicError
from functions.settings import Settings
from functions.web.identity import identity_of, signing_key, turnstile
from functions.web.viewer import HOST_HEADER, IP_HEADER
from tests.support.asgi import HOST, send
from tests.support.turnstile import SECRET, SITE_KEY, lost, never, refusal
from tests.support.turnstile import turnstile as served_turnstile

OPEN = {"/chatkit/health", "/actions/health", "/chatkit/log"}
"""Routes that ask nobody who they are, or take what those send who are nobody yet."""

ON = {"turnstile_site_key": SITE_KEY, "turnstile_secret": SECRET}


@pytest.fixture(scope="module")
def served():
    with served_turnstile() as fake:
        yield fake


@pytest.fixture
def cloudflare(served, monkeypatch):
    """The endpoint as it is at first. Tests may change it."""
    monkeypatch.setattr(turnstile, "PAUSE", (0, 0))
    served.asked.clear()
    served.broken.clear()
    return served


def settings_with(cloudflare, **changes):
    return {**ON, "turnstile_verify_url": cloudflare.verify_url, **changes}


@pytest.fixture
def arrive(cloudflare):
    """`arrive(token)` makes somebody new. Keywords are settings."""

    async def arrive(token, *headers, **changes):
        settings = settings_with(cloudflare, cookie_key="k" * 32, **changes)
        raw = [(name.encode(), value.encode()) for name, value in [("host", HOST), *headers]]
        request = Request(
            {"type": "http", "scheme": "https", "method": "POST", "path": "/", "headers": raw}
        )
        identity = identity_of(Settings(_env_file=None, **settings))
        return await identity.newcomer(request, token)

    return arrive


async def refused(arriving, status=401):
    """The refusal, which is a 401 with the code by which the page asks for a challenge."""
    with pytest.raises(PublicError) as caught:
        await arriving
    assert caught.value.status == status
    assert caught.value.code == ("challenge_required" if status == 401 else None)
    assert caught.value.message
    return caught.value


async def test_every_route_without_an_identity_asks_for_a_challenge(make, cloudflare):
    tried = set()
    for app in make(**settings_with(cloudflare)):
        for route in iter_route_contexts(app.routes):
            for method in route.methods - {"HEAD", "OPTIONS"}:
                if route.path in OPEN:
                    continue
                path = route.path.replace("{", "").replace("}", "")
                answer = await send(app, method, path, body=b"{}")
                assert answer.status == 401, (method, path, answer.body)
                assert b'"code":"challenge_required"' in answer.body
                assert answer.message
                assert answer.headers["www-authenticate"] == 'Bearer realm="chatkit"'
                assert not {"set-cookie", "x-chatkit-token"} & set(answer.headers)
                tried.add(path)
    assert {"/chatkit", "/chatkit/session", "/chatkit/session/end", "/actions"} <= tried
    assert cloudflare.asked == []


async def test_the_page_may_log_before_there_is_an_identity(make, cloudflare):
    chat, _ = make(**settings_with(cloudflare))
    answer = await send(chat, "POST", "/chatkit/log", body=b'{"level":"info","event":"test"}')
    assert answer.status == 204
    assert "set-cookie" not in answer.headers


async def test_a_solved_challenge_makes_an_identity(make, cloudflare):
    chat, actions = make(**settings_with(cloudflare))
    body = b'{"challenge":"%s"}' % cloudflare.token().encode()
    answer = await send(chat, "POST", "/chatkit/session", body=body)
    assert answer.status == 200, answer.body
    assert answer.headers["set-cookie"].startswith("__Host-chatkit_session=")
    # No other route takes one.
    body = b'{"challenge":"%s"}' % cloudflare.token().encode()
    for app, path in ((chat, "/chatkit"), (actions, "/actions/cancel")):
        assert (await send(app, "POST", path, body=body)).status == 401


@pytest.mark.parametrize("body", [b"", b"{}", b'{"challenge":null}', b'{"challenge":""}'])
async def test_a_session_without_a_token_asks_for_a_challenge(make, cloudflare, body):
    chat, _ = make(**settings_with(cloudflare))
    assert (await send(chat, "POST", "/chatkit/session", body=body)).status == 401
    assert cloudflare.asked == []


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b'{"challenge":1}', b'{"challenge":"%s"}' % (b"x" * 2049)]
)
async def test_a_token_that_cannot_be_one_is_422_and_is_not_sent_on(make, cloudflare, body):
    chat, _ = make(**settings_with(cloudflare))
    answer = await send(chat, "POST", "/chatkit/session", body=body)
    assert (answer.status, bool(answer.message)) == (422, True)
    assert cloudflare.asked == []


async def test_without_the_setting_nobody_is_challenged(make):
    chat, _ = make()
    answer = await send(chat, "POST", "/chatkit/session", body=b"")
    assert answer.status == 200
    assert "set-cookie" in answer.headers


async def test_cloudflare_is_asked_as_it_wants_to_be(arrive, cloudflare):
    token = cloudflare.token()
    assert (await arrive(token)).new
    (asked,) = cloudflare.asked
    assert len(asked.pop("idempotency_key")) == 36
    assert asked == {"secret": SECRET, "response": token}


async def test_the_address_is_the_one_that_cloudfront_saw_and_no_other(arrive, cloudflare):
    written = [(IP_HEADER, "203.0.113.7"), ("x-forwarded-for", "192.0.2.9")]
    behind = {"behind_cloudfront": True}
    await arrive(cloudflare.token(), *written, (HOST_HEADER, HOST), **behind)
    await arrive(cloudflare.token(), *written)
    assert [asked.get("remoteip") for asked in cloudflare.asked] == ["203.0.113.7", None]


async def test_a_token_lets_one_person_in(arrive, cloudflare):
    token = cloudflare.token()
    await arrive(token)
    await refused(arrive(token))


async def test_a_token_that_is_too_old_or_made_up_lets_nobody_in(arrive, cloudflare):
    await arrive(cloudflare.token(age=290))
    await refused(arrive(cloudflare.token(age=310)))
    await refused(arrive("made-up"))


@pytest.mark.parametrize(
    ("hostname", "let_in"),
    [
        (HOST, True),
        ("shop.example", True),
        ("evil.example", False),
        (f"{HOST}.evil.example", False),
        ("", False),
        (None, False),
    ],
)
async def test_the_challenge_was_shown_on_a_page_of_ours(arrive, cloudflare, hostname, let_in):
    arriving = arrive(
        cloudflare.token(hostname=hostname), allowed_origins=["https://shop.example:8443"]
    )
    if let_in:
        assert (await arriving).new
    else:
        await refused(arriving)


async def test_behind_cloudfront_the_page_is_where_the_viewer_asked(arrive, cloudflare):
    behind = {"behind_cloudfront": True}
    written = [("host", "abc.lambda-url.us-east-1.on.aws"), (HOST_HEADER, "chat.other")]
    await arrive(cloudflare.token(hostname="chat.other"), *written, **behind)
    await refused(arrive(cloudflare.token(), *written, **behind))
    # Without the header no host is known, so no token can be of it.
    await refused(arrive(cloudflare.token(hostname=None), **behind))


async def test_a_host_that_is_none_is_no_fault_of_ours(arrive, cloudflare):
    behind = {"behind_cloudfront": True}
    await refused(arrive(cloudflare.token(hostname=None), (HOST_HEADER, "[::1"), **behind))


@pytest.mark.parametrize("action", ["login", "", None])
async def test_a_challenge_of_another_form_lets_nobody_in(arrive, cloudflare, action):
    await refused(arrive(cloudflare.token(action=action)))


@pytest.mark.parametrize("codes", [(), ("invalid-input-response",), ("bad-request", "new-code")])
async def test_a_refusal_lets_nobody_in_and_is_not_asked_again(arrive, cloudflare, codes, caplog):
    async def refuses(_asked, _fake):
        of_this_chat = {"hostname": HOST, "action": "chatkit_session"}
        return refusal(*codes, status=400 if codes else 200, **of_this_chat)

    cloudflare.broken = [refuses]
    await refused(arrive(cloudflare.token()))
    assert len(cloudflare.asked) == 1
    assert f"a challenge was refused: {' '.join(codes) or 'without a reason'}" in caplog.text


def answering(*arguments, **keywords):
    async def answer(_asked, _fake):
        return Response(*arguments, **keywords)

    return answer


async def says_internal_error(_asked, _fake):
    return refusal("internal-error")


async def dripping(_asked, _fake):
    """A byte now and then: no single read takes long."""

    async def pieces():
        for _ in range(100):
            yield b" "
            await asyncio.sleep(0.01)
        yield YES.encode()

    return StreamingResponse(pieces())


YES = json.dumps({"success": True, "hostname": HOST, "action": "chatkit_session"})


NO_VERDICT = {
    "an error": answering("down", 503),
    "an internal error": says_internal_error,
    "garbage": answering("<html>", 200),
    "not an object": answering("[]", 200),
    "no success": answering("{}", 200),
    "a success that is text": answering('{"success": "true"}', 200),
    "a yes with an error": answering(YES, 500),
    "a yes that is too long": answering(YES + " " * 100_000, 200),
    "no UTF-8": answering(b'{"success": \xff}', 200),
    "a redirect": answering("", 302, headers={"location": "/turnstile/v0/siteverify"}),
}


@pytest.mark.parametrize("why", NO_VERDICT)
async def test_without_a_verdict_nobody_new_is_let_in(arrive, cloudflare, why, caplog):
    cloudflare.broken = [NO_VERDICT[why]] * 2
    token = cloudflare.token()
    await refused(arrive(token), 424)
    assert "no challenge can be verified" in caplog.text
    assert token not in caplog.text
    assert SECRET not in caplog.text


async def test_a_yes_like_those_above_lets_somebody_in(arrive, cloudflare):
    cloudflare.broken = [answering(YES, 200)]
    assert (await arrive("anything")).new


@pytest.mark.parametrize("broken", [never, dripping])
async def test_an_endpoint_that_does_not_answer_is_given_up(
    arrive, cloudflare, monkeypatch, broken
):
    monkeypatch.setattr(turnstile, "ATTEMPT_SECONDS", 0.3)
    cloudflare.broken = [broken] * 2
    await refused(arrive(cloudflare.token()), 424)
    assert len(cloudflare.asked) == 2


async def test_an_endpoint_on_this_machine_is_asked_without_the_proxy(
    arrive, cloudflare, monkeypatch
):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert (await arrive(cloudflare.token())).new


async def test_an_endpoint_that_is_not_there_is_given_up(arrive, cloudflare):
    await refused(arrive("x", turnstile_verify_url="http://127.0.0.1:1/siteverify"), 424)


@pytest.mark.parametrize("first", [lost, NO_VERDICT["an error"], says_internal_error])
async def test_a_second_attempt_lets_them_in_though_the_first_has_used_the_token(
    arrive, cloudflare, first
):
    cloudflare.broken = [first]
    assert (await arrive(cloudflare.token())).new
    one, two = cloudflare.asked
    assert one == two


async def test_a_wrong_secret_is_said_in_the_log_and_not_tried_again(arrive, cloudflare, caplog):
    await refused(arrive(cloudflare.token(), turnstile_secret="another"), 424)
    assert "invalid-input-secret" in caplog.text
    assert len(cloudflare.asked) == 1


async def unavailable(name, **_):
    raise SecretUnavailableError(f"The secret {name} cannot be read: AccessDeniedException")


async def test_the_secret_may_be_in_secrets_manager(arrive, cloudflare, monkeypatch):
    async def read(name):
        assert name == "stage/turnstile"
        return f" {SECRET}\n"

    monkeypatch.setattr(turnstile, "read_secret", read)
    named = {"turnstile_secret": None, "turnstile_secret_name": "stage/turnstile"}
    assert (await arrive(cloudflare.token(), **named)).new


async def test_a_secret_that_cannot_be_read_lets_nobody_in(arrive, cloudflare, caplog, monkeypatch):
    monkeypatch.setattr(turnstile, "read_secret", unavailable)
    named = {"turnstile_secret": None, "turnstile_secret_name": "stage/turnstile"}
    await refused(arrive(cloudflare.token(), **named), 424)
    assert "stage/turnstile" in caplog.text
    assert cloudflare.asked == []


async def test_a_token_is_not_used_up_when_no_identity_can_be_made(cloudflare, monkeypatch):
    monkeypatch.setattr(signing_key, "read_secret", unavailable)
    settings = settings_with(cloudflare, cookie_key_secret="stage/cookie")
    identity = identity_of(Settings(_env_file=None, **settings))
    request = Request({"type": "http", "scheme": "https", "path": "/", "headers": []})
    await refused(identity.newcomer(request, cloudflare.token()), 424)
    assert cloudflare.asked == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"turnstile_site_key": SITE_KEY}, "needs CHATKIT_TURNSTILE_SECRET"),
        ({"turnstile_secret": SECRET}, "needs CHATKIT_TURNSTILE_SITE_KEY"),
        ({"turnstile_secret_name": "name"}, "needs CHATKIT_TURNSTILE_SITE_KEY"),
        (
            {**ON, "auth": "oidc", "oidc_issuer": "https://i.example", "oidc_client_id": "c"},
            "there is no anonymous visitor",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_said_at_the_start(changes, says):
    with pytest.raises(ValueError, match=says):
        identity_of(Settings(_env_file=None, cookie_key="k" * 32, **changes))


@pytest.mark.parametrize("url", ["http://verify.example/", "ftp://127.0.0.1/", "127.0.0.1"])
def test_the_secret_is_sent_over_tls_or_to_this_machine_only(url):
    with pytest.raises(ValueError, match="address"):
        Settings(_env_file=None, turnstile_verify_url=url)


def test_unless_a_test_says_otherwise_cloudflare_verifies():
    url = Settings(_env_file=None).turnstile_verify_url
    assert url == "https://challenges.cloudflare.com/turnstile/v0/siteverify"


def test_the_secret_is_not_printed():
    assert SECRET not in repr(Settings(_env_file=None, **ON))


@pytest.fixture(autouse=True)
def quiet(caplog):
    caplog.set_level(logging.WARNING)
