"""An issuer's keys are fetched when they are needed, seldom, and once for many requests."""

import asyncio
import gzip
import json

import jwt
import pytest
from starlette.responses import RedirectResponse, Response, StreamingResponse

from functions.errors import PublicError
from functions.web.identity import issuer_keys
from functions.web.identity.issuer_keys import (
    FETCH_SECONDS,
    FIRST_RETRY,
    FRESH,
    MAX_BYTES,
    MIN_INTERVAL,
    IssuerKeys,
    KeysUnavailableError,
)
from tests.support.issuer import Key, down, never
from tests.web.conftest import request_of

SECOND = Key("second")


class Clock:
    """The wall clock. A test moves it, as a freeze of Lambda does."""

    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def keys(issuer, clock):
    return IssuerKeys(issuer.url, clock)


async def found(keys, key_id="first", algorithm="RS256"):
    return [key.key_id for key in await keys.find(key_id, algorithm)]


async def test_a_known_key_needs_no_request(keys, issuer):
    assert await found(keys) == ["first"]
    assert await found(keys) == ["first"]
    assert issuer.requests == ["/.well-known/openid-configuration", "/keys"]


async def test_many_requests_at_a_time_share_one_fetch(keys, issuer):
    assert await asyncio.gather(*(found(keys) for _ in range(100))) == [["first"]] * 100
    assert len(issuer.requests) == 2


async def test_an_unknown_key_id_makes_a_fetch_at_most_once_in_half_a_minute(keys, issuer, clock):
    await found(keys)
    for _ in range(3):
        assert await found(keys, "invented") == []
    assert issuer.fetches == 1
    clock.now += MIN_INTERVAL
    assert await asyncio.gather(*(found(keys, f"invented {n}") for n in range(100))) == [[]] * 100
    assert issuer.fetches == 2


async def test_keys_that_change_in_mid_flight_are_found(keys, issuer, clock):
    """Tokens of the old key and of the new one arrive at the same time."""
    await found(keys)
    clock.now += MIN_INTERVAL
    issuer.keys = [*issuer.keys, SECOND]
    both = await asyncio.gather(*(found(keys, ("first", "second")[n % 2]) for n in range(50)))
    assert both == [["first"], ["second"]] * 25
    assert issuer.fetches == 2


async def test_a_key_that_the_issuer_has_withdrawn_works_for_an_hour_at_most(keys, issuer, clock):
    await found(keys)
    issuer.keys = [SECOND]
    clock.now += FRESH - 1
    assert await found(keys) == ["first"]
    clock.now += 1
    assert await found(keys) == []


@pytest.mark.parametrize("passed", [MIN_INTERVAL, FRESH], ids=["soon", "after an hour"])
async def test_an_issuer_that_is_down_harms_nobody_whose_key_is_known(
    keys, issuer, clock, passed, caplog
):
    await found(keys)
    issuer.broken = down
    clock.now += passed
    with pytest.raises(KeysUnavailableError):
        await found(keys, "second")
    assert await found(keys) == ["first"]
    assert "answers 503" in caplog.text
    assert issuer.fetches == 2
    issuer.broken = None
    issuer.keys = [*issuer.keys, SECOND]
    clock.now += MIN_INTERVAL
    assert await found(keys, "second") == ["second"]


async def test_where_no_key_is_known_the_next_attempt_is_soon(keys, issuer, clock):
    issuer.broken = down
    for _ in range(3):
        with pytest.raises(KeysUnavailableError):
            await found(keys)
    assert issuer.fetches == 1
    issuer.broken = None
    clock.now += FIRST_RETRY
    assert await found(keys) == ["first"]


async def test_a_request_that_was_cancelled_does_not_end_the_fetch_of_others(keys, issuer):
    arrived, go_on = asyncio.Event(), asyncio.Event()
    read = keys._read_keys

    async def held():
        arrived.set()
        await go_on.wait()
        return await read()

    keys._read_keys = held
    one, two = asyncio.create_task(found(keys)), asyncio.create_task(found(keys))
    await arrived.wait()
    one.cancel()
    await asyncio.gather(one, return_exceptions=True)
    go_on.set()
    assert await two == ["first"]
    assert issuer.fetches == 1


async def test_a_fetch_that_stood_still_in_a_freeze_is_replaced_by_one_new_one(keys, clock):
    """Its connection is dead, and its time-out counts only while the process runs."""
    begun, stands, read = [], asyncio.Event(), keys._read_keys

    async def frozen():
        begun.append(1)
        if len(begun) == 1:
            stands.set()
            await asyncio.Event().wait()
        return await read()

    keys._read_keys = frozen
    first = asyncio.create_task(found(keys))
    await stands.wait()
    clock.now += 900
    assert await asyncio.gather(*(found(keys) for _ in range(20))) == [["first"]] * 20
    assert len(begun) == 2
    with pytest.raises(KeysUnavailableError):  # 503: it is to be sent again
        await first


async def test_after_a_freeze_old_keys_are_fetched_once_for_many_requests(keys, issuer, clock):
    await found(keys)
    clock.now += 7 * 24 * FRESH
    assert await asyncio.gather(*(found(keys) for _ in range(100))) == [["first"]] * 100
    assert issuer.fetches == 2


async def test_a_clock_that_was_set_back_stops_no_fetch(keys, issuer, clock):
    await found(keys)
    clock.now -= 3600
    issuer.keys = [SECOND]
    assert await found(keys, "second") == ["second"]


async def dripping():
    """A byte now and then: no single read takes long."""

    async def bytes_of():
        for _ in range(100):
            yield b" "
            await asyncio.sleep(0.01)

    return StreamingResponse(bytes_of())


@pytest.mark.parametrize("broken", [never, dripping])
async def test_a_slow_issuer_is_given_up(keys, issuer, monkeypatch, caplog, broken):
    monkeypatch.setattr(issuer_keys, "FETCH_SECONDS", 0.3)
    issuer.broken = broken
    with pytest.raises(KeysUnavailableError):
        await found(keys)
    assert "TimeoutError" in caplog.text


async def test_a_slow_refresh_holds_up_nobody_whose_key_is_known(keys, issuer, clock, monkeypatch):
    await found(keys)
    monkeypatch.setattr(issuer_keys, "REFRESH_WAIT", 0.01)
    issuer.broken = never
    clock.now += FRESH
    assert await asyncio.gather(*(found(keys) for _ in range(20))) == [["first"]] * 20
    assert not keys._task.done()  # nobody has waited for its end
    keys._task.cancel()


def with_body(body, status=200, **headers):
    async def answer():
        return Response(body, status, headers)

    return answer


HUGE = json.dumps({"keys": [], "filler": "x" * MAX_BYTES}).encode()


async def unannounced():
    async def bytes_of():
        for _ in range(64):
            yield b"x" * 65_536
            await asyncio.sleep(0)

    return StreamingResponse(bytes_of())


async def elsewhere():
    return RedirectResponse("https://evil.example/keys")


BROKEN = {
    "a huge set": (with_body(HUGE), "bytes"),
    "one without an announced length": (unannounced, "bytes"),
    "one that unpacks to something huge": (
        with_body(gzip.compress(HUGE), **{"content-encoding": "gzip"}),
        "not a JSON object",
    ),
    "no JSON": (with_body("<html>"), "not a JSON object"),
    "a thousand brackets": (with_body("[" * 100_000), "not a JSON object"),
    "a list": (with_body("[]"), "not a JSON object"),
    "no keys": (with_body('{"keys": []}'), "shared secret"),
    "a secret only": (with_body('{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}'), "shared secret"),
    "keys that are none": (with_body('{"keys": [1, null, "x"]}'), "shared secret"),
    "a redirect": (elsewhere, "answers 307"),
    "not found": (with_body("", 404), "answers 404"),
}


@pytest.mark.parametrize("kind", BROKEN)
async def test_keys_that_cannot_be_used_are_a_line_in_the_log(keys, issuer, kind, caplog):
    issuer.broken, reason = BROKEN[kind]
    with pytest.raises(KeysUnavailableError):
        await found(keys)
    (line,) = caplog.messages
    assert line.startswith(f"the keys of the issuer {issuer.url} cannot be read: ")
    assert reason in line


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"issuer": "https://evil.example"}, "names another issuer"),
        ({"issuer": None}, "names another issuer"),
        ({"jwks_uri": "http://keys.example"}, "no jwks_uri with https"),
        ({"jwks_uri": "file:///etc/passwd"}, "no jwks_uri with https"),
        ({"jwks_uri": None}, "no jwks_uri with https"),
        ({"jwks_uri": "https://[::1"}, "ValueError"),
    ],
)
async def test_metadata_of_another_issuer_or_without_safe_keys_is_not_used(
    keys, issuer, metadata, reason, caplog
):
    issuer.metadata = metadata
    with pytest.raises(KeysUnavailableError):
        await found(keys)
    assert reason in caplog.text
    assert issuer.fetches == 0


async def test_an_issuer_with_a_slash_at_its_end_is_found_and_compared_with_it(issuer, clock):
    """Auth0's issuers end with one, and so does the `iss` of its tokens."""
    issuer.metadata = {"issuer": f"{issuer.url}/"}
    assert await found(IssuerKeys(f"{issuer.url}/", clock)) == ["first"]
    with pytest.raises(KeysUnavailableError):
        await found(IssuerKeys(issuer.url, clock))


async def test_of_two_keys_with_one_id_both_are_tried(issuer, identity):
    twin = Key("first")
    issuer.keys = [twin, *issuer.keys]
    for key in issuer.keys:
        assert (await identity.identify(request_of(issuer.token(key)))).signed_in


async def test_of_two_keys_with_one_id_the_one_for_the_algorithm_counts(keys, issuer):
    issuer.keys = [Key("first", "ES256"), *issuer.keys]
    assert [key.key_type for key in await keys.find("first", "RS256")] == ["RSA"]
    assert [key.key_type for key in await keys.find("first", "ES256")] == ["EC"]


@pytest.mark.parametrize(
    "changes",
    [
        {"use": "enc"},
        {"use": ["sig"]},
        {"alg": "RS512"},
        {"alg": "RSA-OAEP"},
        {"key_ops": ["sign"]},
        {"key_ops": []},
        {"kty": "oct"},
        {"n": None},
        {"n": "AQAB"},
    ],
    ids=str,
)
async def test_a_key_for_another_purpose_verifies_nothing(issuer, identity, changes):
    wrong = {**issuer.keys[0].public, **changes}
    signer = issuer.keys[0]
    issuer.keys = [wrong, SECOND]
    with pytest.raises(PublicError) as refused:
        await identity.identify(request_of(issuer.token(signer)))
    assert refused.value.status == 401


async def test_an_issuer_that_publishes_a_secret_has_no_key_by_it(issuer, identity):
    """Whoever reads it could sign anything."""
    secret = {"kty": "oct", "kid": "secret", "k": "c2VjcmV0IGFuZCBsb25nIGVub3VnaCBmb3IgSFMyNTY"}
    issuer.keys = [*issuer.keys, secret]
    token = jwt.encode(issuer.claims(), jwt.PyJWK(secret, "HS256").key, headers={"kid": "secret"})
    with pytest.raises(PublicError) as refused:
        await identity.identify(request_of(token))
    assert refused.value.status == 401


@pytest.mark.parametrize("algorithm", ["ES384", "ES512"])
async def test_a_key_of_another_curve_is_not_used(keys, issuer, algorithm):
    issuer.keys = [{**Key("first", algorithm).public, "alg": "ES256"}, SECOND]
    assert await found(keys, "first", "ES256") == []


async def test_a_token_without_a_key_id_needs_an_issuer_with_one_key(issuer, identity_for):
    token = jwt.encode(issuer.claims(), issuer.keys[0].private, "RS256")
    assert (await identity_for().identify(request_of(token))).signed_in
    issuer.keys = [*issuer.keys, SECOND]
    with pytest.raises(PublicError):
        await identity_for().identify(request_of(token))


async def test_without_any_key_a_request_may_be_sent_again(issuer, identity):
    """503: the token may be valid, and ChatKit's element sends the request again."""
    issuer.broken = down
    with pytest.raises(PublicError) as unknown:
        await identity.identify(request_of(issuer.token()))
    assert unknown.value.status == 503
    assert unknown.value.headers == {"retry-after": "3"}


def test_a_fetch_is_over_before_the_next_one_may_begin():
    assert FETCH_SECONDS < MIN_INTERVAL
