"""Signing out everywhere ends the sessions that began before, and no others."""

import time

import pytest

from functions.store import Sessions, Table, sessions
from functions.web.identity.anonymous import BEARER, COOKIE, FORMER


@pytest.fixture
def ended(backend):
    return Sessions(Table(backend.table, backend.dynamodb))


async def test_only_sessions_that_began_before_the_sign_out_are_over(ended, ada, bob):
    assert not await ended.is_over(ada, 0)
    before = time.time()
    await ended.end_all(ada)
    assert await ended.is_over(ada, 0)
    assert await ended.is_over(ada, before - 1)
    assert not await ended.is_over(ada, time.time() + 1)
    assert not await ended.is_over(bob, 0)


async def test_a_later_sign_out_ends_the_sessions_since_the_first(ended, ada, monkeypatch):
    await ended.end_all(ada)
    now = time.time()
    monkeypatch.setattr(sessions.time, "time", lambda: now + 100)
    assert not await ended.is_over(ada, now + 50)
    await ended.end_all(ada)
    assert await ended.is_over(ada, now + 50)


async def test_ending_and_asking_are_one_request_each(ended, ada, meter):
    await ended.end_all(ada)
    await ended.is_over(ada, 0)
    assert meter.requests == ["UpdateItem", "GetItem"]


async def test_a_sign_out_is_kept_until_every_older_token_has_expired(backend, ended, ada):
    longest = max(purpose.lifetime.total_seconds() for purpose in (BEARER, COOKIE, FORMER))
    before = time.time()
    await ended.end_all(ada)
    (row,) = backend.rows()
    assert int(row["expires"]["N"]) > before + longest


async def test_a_deletion_of_the_user_lets_no_old_session_in_again(store, ended, ada):
    await ended.end_all(ada)
    await store.delete_user(ada.user_id)
    assert await ended.is_over(ada, 0)
