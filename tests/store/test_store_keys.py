"""Keys of rows fit DynamoDB, and moments sort by time wherever the clock is set."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.aws.keys import part
from functions.store import keys

NAMES = st.text(min_size=1, max_size=300)


def test_the_longest_keys_are_within_dynamodbs_limits():
    longest = "é" * 5000
    row = keys.item_key(part(longest), longest, longest)
    assert len(row["pk"]["S"].encode()) <= 2048
    assert len(row["sk"]["S"].encode()) <= 1024
    assert len(keys.position(keys.stamp(datetime.now(UTC)), longest).encode()) <= 1024
    assert len(keys.item_position(datetime.now(UTC), longest).encode()) <= 1024


@given(st.datetimes(timezones=st.sampled_from([None, UTC, timezone(timedelta(hours=-9))])))
def test_every_stamp_has_the_same_length(moment):
    assert len(keys.stamp(moment)) == len("2026-01-02T12:00:00.000000Z")


@pytest.fixture
def new_york(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_naive_moment_is_local_time(new_york):
    naive = datetime(2026, 1, 2, 12, 0, 0)
    assert keys.stamp(naive) == "2026-01-02T17:00:00.000000Z"
    assert keys.stamp(naive) == keys.stamp(datetime(2026, 1, 2, 17, 0, 0, tzinfo=UTC))


@given(st.datetimes(), NAMES)
def test_a_cursor_contains_its_position(moment, thread_id):
    position = keys.position(keys.stamp(moment), thread_id)
    assert keys.read_cursor(keys.cursor(position, thread_id)) == position


@given(st.datetimes(max_value=datetime(9999, 1, 1), timezones=st.just(UTC)), NAMES, NAMES)
def test_an_item_that_is_written_later_comes_later_among_those_of_its_time(moment, one, other):
    before = keys.position(keys.stamp(moment), one)
    first, second = keys.item_position(moment, one), keys.item_position(moment, other)
    assert before < first < second < keys.END_OF_ITEMS
    assert second < keys.position(keys.stamp(moment + datetime.resolution), one)


def test_a_clock_that_is_set_back_moves_no_item_before_what_the_process_wrote_earlier(monkeypatch):
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    first = keys.item_position(moment, "z")
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert first < keys.item_position(moment, "b") < keys.item_position(moment, "a")
