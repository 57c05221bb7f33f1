"""Keys that sign tokens: several at a time, none too short, and read again before anyone is new."""

import asyncio
import json
import logging

import pytest
from starlette.requests import Request

from functions.aws import secret_values
from functions.aws.secret_values import SecretUnavailableError
from functions.errors import PublicError
from functions.settings import Settings
from functions.telemetry import SafeExceptions
from functions.web.identity import identity_of, signing_key
from functions.web.identity.anonymous import COOKIE
from functions.web.identity.signing_key import WeakKeyError, read_keys, rotated, signing_keys
from tests.support.tokens import session_token

OLD, NEW = "o" * 32, "n" * 32
NAME = "chat/cookie"


@pytest.fixture
def vault(monkeypatch):
    """A secret whose value a test sets, which counts how often it is read."""

    class Vault:
        value = OLD
        reads = 0

    class Client:
        def get_secret_value(self, SecretId):  # noqa: N803 - boto3's name
            assert SecretId == NAME
            Vault.reads += 1
            return {"SecretString": Vault.value}

    monkeypatch.setattr(secret_values, "client", lambda _: Client())
    monkeypatch.setattr(secret_values, "_kept", {})
    return Vault


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test moves."""

    class Clock:
        now = 1_000_000.0

    for module in (secret_values, signing_key):
        monkeypatch.setattr(module, "time", lambda: Clock.now)
    return Clock


@pytest.fixture
def identity():
    return identity_of(Settings(_env_file=None, cookie_key=None, cookie_key_secret=NAME))


def request(token):
    headers = [(b"cookie", f"chatkit_session={token}".encode())]
    return Request({"type": "http", "scheme": "http", "path": "/", "headers": headers})


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (OLD, [OLD]),
        (f'["{NEW}", "{OLD}"]', [NEW, OLD]),
        ('{"key": "what the console of AWS makes"}', ['{"key": "what the console of AWS makes"}']),
        (f"[{OLD}", [f"[{OLD}"]),
        ("1" * 32, ["1" * 32]),
    ],
)
def test_a_secret_holds_one_key_as_it_is_or_a_list(text, keys):
    assert list(read_keys(text)) == keys


@pytest.mark.parametrize("text", ["a", "", "[]", '[""]', f'["{NEW}", "a"]', "é" * 15 + "a"])
def test_a_short_key_is_refused_also_among_others(text):
    with pytest.raises(WeakKeyError, match="needs 32 bytes"):
        read_keys(text)


def test_a_short_configured_key_is_said_at_the_start():
    with pytest.raises(ValueError, match=r"CHATKIT_COOKIE_KEY: a key .* needs 32 bytes"):
        signing_keys(Settings(_env_file=None, cookie_key="a"))


def test_a_rotation_puts_a_new_key_before_the_newest_one():
    first = json.loads(rotated(OLD))
    assert first[1:] == [OLD]
    second = json.loads(rotated(json.dumps(first)))
    assert second[1:] == first[:1]
    assert len({OLD, first[0], second[0]}) == 3
    assert list(read_keys(json.dumps(second))) == second


def test_after_a_leak_no_older_key_stays():
    assert OLD not in rotated(OLD, leaked=True)
    assert len(read_keys(rotated(json.dumps([OLD, OLD]), leaked=True))) == 1


def test_a_rotation_keeps_no_key_that_is_too_short():
    assert len(json.loads(rotated("a"))) == len(json.loads(rotated("[]"))) == 1


async def test_a_short_key_in_the_secret_identifies_nobody(vault, identity, caplog):
    vault.value = "a"
    as_everywhere = caplog.filtering(SafeExceptions())  # no exception's message is logged
    with as_everywhere, caplog.at_level(logging.ERROR), pytest.raises(PublicError) as refused:
        await identity.identify(request(session_token(COOKIE, key="a")))
    assert refused.value.status == 424  # ChatKit's element sends a request again after a 5xx
    assert f"the secret {NAME}: a key that signs cookies needs 32 bytes" in caplog.text


async def test_a_secret_that_cannot_be_read_is_an_answer_and_a_line_in_the_log(
    monkeypatch, identity, caplog
):
    async def unavailable(name, *, again):
        raise SecretUnavailableError(f"The secret {name} cannot be read: AccessDeniedException")

    monkeypatch.setattr(signing_key, "read_secret", unavailable)
    as_everywhere = caplog.filtering(SafeExceptions())  # no exception's message is logged
    with as_everywhere, caplog.at_level(logging.ERROR), pytest.raises(PublicError) as refused:
        await identity.identify(request(session_token(COOKIE)))
    assert refused.value.status == 424
    assert "AccessDenied" not in refused.value.message
    assert "AccessDeniedException" in caplog.text


async def test_a_token_of_a_newer_key_makes_the_secret_be_read_again(vault, clock, identity):
    assert (await identity.identify(request(session_token(COOKIE, key=OLD)))).user_id == "anon_1"
    vault.value = json.dumps([NEW, OLD])
    clock.now += 1  # long before the cache expires
    visitor = await identity.identify(request(session_token(COOKIE, key=NEW)))
    assert (visitor.user_id, visitor.fresh, visitor.new) == ("anon_1", False, False)
    assert vault.reads == 2


async def test_forged_tokens_make_the_secret_be_read_at_most_once_in_some_seconds(
    vault, clock, identity
):
    forged = request(session_token(COOKIE, key="x" * 32))
    for _ in range(50):
        assert (await identity.identify(forged)).new
    assert vault.reads == 2
    clock.now += signing_key.AGAIN_SECONDS + 1
    await identity.identify(forged)
    assert vault.reads == 3


async def test_many_requests_at_a_time_share_one_read(vault, clock, identity):
    await identity.identify(request(session_token(COOKIE, key=OLD)))
    vault.value = json.dumps([NEW, OLD])
    tokens = [session_token(COOKIE, user=f"anon_{i}", key=NEW) for i in range(50)]
    visitors = await asyncio.gather(*(identity.identify(request(token)) for token in tokens))
    assert [visitor.user_id for visitor in visitors] == [f"anon_{i}" for i in range(50)]
    assert vault.reads == 2


async def test_a_clock_that_was_set_back_stops_no_read(vault, clock, identity):
    await identity.identify(request(session_token(COOKIE, key="x" * 32)))
    clock.now -= 3600
    await identity.identify(request(session_token(COOKIE, key=OLD)))
    vault.value = json.dumps([NEW, OLD])
    assert not (await identity.identify(request(session_token(COOKIE, key=NEW)))).new


async def test_visitors_without_a_token_make_no_extra_read(vault, identity):
    assert (await identity.identify(request(""))).new
    assert vault.reads == 1
