"""Quota: messages are counted for each user and for the day, and refused over a limit."""

import time

import pytest

from functions.store import OverQuota, Quota, Table


def quota(backend, **limits):
    table = Table(backend.table, backend.dynamodb)
    return Quota(table, **{"per_user": None, "per_day": None, **limits})


async def test_each_user_has_their_own_rate(backend, ada, bob, meter):
    counting = quota(backend, per_user=2, window_seconds=3600)
    for _ in range(2):
        await counting.check(ada)
        await counting.spend(ada)
    with pytest.raises(OverQuota) as refused:
        await counting.check(ada)
    assert 1 <= refused.value.retry_after <= 3600
    assert refused.value.message
    with pytest.raises(OverQuota):
        await counting.spend(ada)
    await counting.check(bob)
    await counting.spend(bob)


async def test_a_day_has_one_budget_for_everybody(backend, ada, bob, meter):
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
    assert 1 <= refused.value.retry_after <= 86_400


async def test_counters_end_by_themselves_and_no_limit_costs_nothing(backend, ada, meter):
    await quota(backend, per_user=5, window_seconds=60, per_day=5).spend(ada)
    for row in backend.rows():
        assert int(row["expires"]["N"]) > time.time()
    meter.clear()
    await quota(backend).check(ada)
    await quota(backend).spend(ada)
    assert meter.requests == []
