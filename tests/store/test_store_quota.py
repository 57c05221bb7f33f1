"""Quota: messages are counted for each user and each day, and rejected over a limit."""

import time

import pytest

from functions.store import OverQuota, Quota, Table


def quota(backend, **limits):
    table = Table(backend.table, backend.dynamodb)
    return Quota(table, **{"per_user": None, "per_day": None, **limits})


async def test_each_user_has_a_limit_of_their_own(backend, ada, bob, meter):
    counting = quota(backend, per_user=2, window_seconds=3600)
    for _ in range(2):
        await counting.check(ada)
        await counting.spend(ada)
    with pytest.raises(OverQuota) as refused:
        await counting.check(ada)
    assert 1 <= int(refused.value.headers["retry-after"]) <= 3600
    assert refused.value.message
    with pytest.raises(OverQuota):
        await counting.spend(ada)
    await counting.check(bob)
    await counting.spend(bob)


async def test_all_users_share_the_limit_of_a_day(backend, ada, bob, meter):
    counting = quota(backend, per_user=100, per_day=2)
    await counting.spend(ada)
    meter.clear()
    await counting.check(bob)
    assert meter.requests == ["BatchGetItem"]
    await counting.spend(bob)
    for context in (ada, bob):
        with pytest.raises(OverQuota, match="today") as refused:
            await counting.check(context)
        with pytest.raises(OverQuota):
            await counting.spend(context)
    assert 1 <= int(refused.value.headers["retry-after"]) <= 86_400


async def test_counters_expire_and_without_limits_no_request_is_made(backend, ada, meter):
    await quota(backend, per_user=5, window_seconds=60, per_day=5).spend(ada)
    for row in backend.rows():
        assert int(row["expires"]["N"]) > time.time()
    meter.clear()
    await quota(backend).check(ada)
    await quota(backend).spend(ada)
    assert meter.requests == []


async def test_the_days_counter_may_have_a_table_of_its_own_which_is_read_in_parallel(
    backend, ada, bob, meter
):
    stage = Table(backend.table, backend.dynamodb)
    counting = quota(backend, per_user=2, per_day=3, stage_table=stage)
    await counting.check(ada)
    assert meter.requests == ["BatchGetItem", "BatchGetItem"]
    for context in (ada, ada, bob):
        await counting.check(context)
        await counting.spend(context)
    with pytest.raises(OverQuota, match="many messages"):
        await counting.check(ada)
    with pytest.raises(OverQuota, match="today"):
        await counting.check(bob)
