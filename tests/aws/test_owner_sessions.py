"""Sessions of owners: one request to STS, kept while they last, and none without a data role."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from starlette.requests import Request

from functions import aws
from functions.aws import clients, owner_sessions
from functions.aws.keys import part
from functions.aws.owner_sessions import (
    MAX_OWNERS,
    RENEW_SECONDS,
    RETRY_SECONDS,
    SESSION_SECONDS,
    Owner,
    OwnerSessions,
)
from functions.errors import PublicError
from functions.services import unchecked_visitor_of
from functions.settings import forget_settings

ADA = Owner.of("anon_ada")


class Sts:
    """Gives sessions, and has a clock."""

    def __init__(self):
        self.now = 1_000_000.0
        self.asked = []
        self.fails = False
        self.kept = OwnerSessions(self.assume, lambda: self.now)

    def assume(self, owner):
        self.asked.append(owner)
        if self.fails:
            raise ClientError({"Error": {"Code": "Throttling"}}, "AssumeRole")
        ends = datetime.fromtimestamp(self.now + SESSION_SECONDS, UTC)
        key = f"{owner.user}-{len(self.asked)}"
        given = {"AccessKeyId": key, "SecretAccessKey": "s", "SessionToken": "t"}
        return {"Credentials": {**given, "Expiration": ends}}

    def key(self, owner=ADA):
        return self.kept.credentials(owner).access_key


@pytest.fixture
def sts():
    return Sts()


@pytest.fixture
def data_role(monkeypatch):
    monkeypatch.setenv("CHATKIT_DATA_ROLE", "arn:aws:iam::123456789012:role/data")
    forget_settings()
    yield
    monkeypatch.undo()
    forget_settings()
    clients._client.cache_clear()
    owner_sessions.boto_session.cache_clear()


def test_an_owner_gets_one_session_that_is_used_until_half_of_it_is_left(sts):
    assert sts.key() == sts.key() == "anon_ada-1"
    sts.now += SESSION_SECONDS - RENEW_SECONDS - 1
    assert sts.key() == "anon_ada-1"
    sts.now += 1
    assert sts.key() == "anon_ada-2"
    assert sts.key(Owner.of("anon_bob")) == "anon_bob-3"


@pytest.mark.parametrize("fails", [False, True])
def test_calls_that_wait_for_a_session_share_one_request_also_when_it_fails(sts, fails):
    sts.fails = fails
    waiting, go = threading.Barrier(8), threading.Event()
    assume = sts.assume

    def slow(owner):
        go.wait(10)
        return assume(owner)

    kept = OwnerSessions(slow, lambda: sts.now)

    def ask():
        waiting.wait(10)
        try:
            return kept.credentials(ADA).access_key
        except ClientError:
            return "failed"

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(ask) for _ in range(7)]
        waiting.wait(10)
        go.set()
        found = {answer.result() for answer in answers}
    assert found == {"failed" if fails else "anon_ada-1"}
    assert len(sts.asked) == 1


def test_a_renewal_that_fails_is_tried_again_later_and_harms_nobody_until_the_session_ends(sts):
    sts.key()
    sts.fails = True
    sts.now += RENEW_SECONDS
    assert sts.key() == sts.key() == "anon_ada-1"
    assert len(sts.asked) == 2
    sts.now += RETRY_SECONDS
    assert sts.key() == "anon_ada-1"
    assert len(sts.asked) == 3
    sts.now += RENEW_SECONDS - 2 * RETRY_SECONDS
    with pytest.raises(ClientError):
        sts.key()
    sts.now += 1
    sts.fails = False
    assert sts.key() == "anon_ada-5"


def test_the_owner_who_was_not_here_for_the_longest_time_is_forgotten(sts):
    for number in range(MAX_OWNERS):
        sts.key(Owner.of(f"u{number}"))
    sts.key(Owner.of("u0"))
    sts.key(Owner.of("one.more"))
    asked = len(sts.asked)
    sts.key(Owner.of("u0"))
    assert len(sts.asked) == asked
    sts.key(Owner.of("u1"))
    assert len(sts.asked) == asked + 1


@pytest.mark.parametrize(
    "user", ["anon_0123456789abcdef", f"{'a' * 16}.{'b' * 64}", "x" * 200, "A-b_c.9"]
)
def test_an_id_of_ours_can_own_a_session(user):
    owner = Owner.of(part(user))
    assert owner.user == user
    assert len(owner.folder) == 32


@pytest.mark.parametrize(
    "user", ["auth0|1", "ada@example.com", "", "a b", "ü", "a*", "a?", "${x}", "a#T#b", "x" * 257]
)
def test_an_id_that_is_no_tag_or_could_mean_somebody_else_is_refused(user):
    with pytest.raises(ValueError, match="isolation=session"):
        Owner.of(part(user))


async def sent_by(user_id):
    async def identify(_):
        return SimpleNamespace(user_id=user_id)

    services = SimpleNamespace(identify=identify)
    return await unchecked_visitor_of(Request({"type": "http"}), services)


async def test_a_visitor_whose_id_cannot_own_a_session_is_refused_before_anything_else(data_role):
    assert (await sent_by("anon_1")).user_id == "anon_1"
    with pytest.raises(PublicError) as refused:
        await sent_by("auth0|1")
    assert refused.value.status == 403


async def test_without_a_data_role_any_id_may_be_a_visitors_and_no_session_is_used():
    await sent_by("auth0|1")
    owner_sessions.boto_session.cache_clear()
    with owner_sessions.acting_for("auth0%7C1"):
        assert owner_sessions.client("dynamodb") is aws.client("dynamodb")
    assert owner_sessions.boto_session.cache_info().currsize == 0


async def test_what_a_request_starts_acts_for_its_owner_and_no_other_request_does(data_role):
    async def owner():
        return owner_sessions._acting.get()

    async def request(user):
        owner_sessions.act_for(user)
        await asyncio.sleep(0)
        return (await asyncio.create_task(owner())).user

    tasks = [asyncio.create_task(request(f"u{number}")) for number in range(4)]
    assert await asyncio.gather(*tasks) == ["u0", "u1", "u2", "u3"]
    assert owner_sessions._acting.get() is None
