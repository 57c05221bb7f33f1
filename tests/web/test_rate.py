"""A rate is counted for each key and for all together, in windows of a minute."""

import time

import pytest

from functions.web.rate import Rate


@pytest.fixture
def clock(monkeypatch):
    now = [6_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


def test_each_key_has_its_limit_and_all_keys_have_one_together(clock):
    rate = Rate(each=2, total=3)
    assert [rate.spend(key) for key in ("a", "a", "a", "b", "b", "c")] == [
        None, None, 60, None, 60, 60,
    ]  # fmt: skip


def test_the_next_minute_begins_anew_and_the_wait_leads_there(clock):
    rate = Rate(each=1, total=9)
    rate.spend("a")
    clock[0] += 12.5
    wait = rate.spend("a")
    assert wait == 48
    clock[0] += wait
    assert rate.spend("a") is None
